"""People and organisations; everything under `o/<org>/` begins with the organisation's slug."""

from __future__ import annotations

from django.urls import path

from orgs.views import audit, home, invitations, members, organizations, profile

app_name = "orgs"
urlpatterns = [
    path("", home.home, name="home"),
    path("healthz", home.healthz, name="healthz"),
    path("profile/", profile.profile, name="profile"),
    path("organisations/new/", organizations.create, name="create"),
    path("invitations/<str:token>/", invitations.invitation, name="invitation"),
    path("o/<slug:org>/", home.dashboard, name="dashboard"),
    path("o/<slug:org>/settings/", organizations.settings, name="settings"),
    path("o/<slug:org>/settings/delete/", organizations.delete, name="delete"),
    path("o/<slug:org>/members/", members.members, name="members"),
    path("o/<slug:org>/members/leave/", members.leave, name="leave"),
    path("o/<slug:org>/members/<uuid:member>/", members.member, name="member"),
    path("o/<slug:org>/members/<uuid:member>/role/", members.role, name="member_role"),
    path("o/<slug:org>/members/<uuid:member>/remove/", members.remove, name="member_remove"),
    path("o/<slug:org>/invitations/", invitations.invitations, name="invitations"),
    path("o/<slug:org>/invitations/<uuid:invitation>/revoke/", invitations.revoke, name="invitation_revoke"),
    path("o/<slug:org>/audit/", audit.audit, name="audit"),
    path("o/<slug:org>/audit/export/", audit.export, name="audit_export"),
]
