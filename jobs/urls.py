from django.urls import path

from jobs import views

app_name = "jobs"
urlpatterns = [
    path("", views.run_list, name="runs"),
    path("<uuid:pk>/", views.run, name="run"),
    path("<uuid:pk>/live/", views.run_fragment, name="run_fragment"),
    path("<uuid:pk>/cancel/", views.cancel, name="cancel"),
    path("<uuid:pk>/retry/", views.retry, name="retry"),
    path("<uuid:pk>/confirm/", views.confirm, name="confirm"),
    path("<uuid:pk>/decline/", views.decline, name="decline"),
]
