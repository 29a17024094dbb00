"""Connecting an account by OAuth: django-allauth's flow, its completion ours.

A connection is no way to sign in. allauth makes the address of the consent page, keeps state and challenge in the
session of whoever began, and takes them from there when they come back, once. From then on it is our business: the code
is exchanged through `lib.egress`, and the grant goes into a Connection before allauth saves, or even sees, any of it.
"""
