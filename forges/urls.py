"""Under `o/<slug:org>/`."""

from __future__ import annotations

from django.urls import path

from forges.views import avatars, connections, entering, hooks, managing, oauth

app_name = "forges"
urlpatterns = [
    path("connections/", connections.connections, name="connections"),
    path("connections/add/", connections.add, name="connection_add"),
    path("connections/add/app/", oauth.install, name="install"),
    path("connections/add/token/", entering.token, name="connection_token"),
    path("connections/add/consumer/", entering.consumer, name="connection_consumer"),
    path("connections/add/<slug:key>/", oauth.start, name="start"),
    path("connections/attention/", connections.attention, name="connection_attention"),
    path("connections/<uuid:connection>/", connections.connection, name="connection"),
    path("connections/<uuid:connection>/avatar/", avatars.avatar, name="avatar"),
    path("connections/<uuid:connection>/rename/", managing.rename, name="connection_rename"),
    path("connections/<uuid:connection>/share/", managing.share, name="connection_share"),
    path("connections/<uuid:connection>/check/", managing.check, name="connection_check"),
    path("connections/<uuid:connection>/disconnect/", managing.disconnect, name="connection_disconnect"),
    path("connections/<uuid:connection>/delete/", managing.delete, name="connection_delete"),
    path("hooks/<uuid:hook>/", hooks.hook, name="hook"),
    path("hooks/<uuid:hook>/panel/", hooks.panel, name="hook_panel"),
    path("hooks/<uuid:hook>/secret/", hooks.secret, name="hook_secret"),
    path("hooks/<uuid:hook>/rotate/", hooks.rotate, name="hook_rotate"),
    path("hooks/<uuid:hook>/check/", hooks.check, name="hook_check"),
    path("deliveries/<uuid:delivery>/redeliver/", hooks.redeliver, name="redeliver"),
    path("connections/<uuid:connection>/deliveries/", hooks.app_deliveries, name="app_deliveries"),
]
