"""A small Django shop, foreign to us: CSRF tokens, a sign-in redirect, five checkout pages.

Run as a program: `python foreign_shop.py DATABASE` prints `ready http://127.0.0.1:PORT` and serves
until it is stopped. `?break=payment` on any page breaks the payment page from then on.
"""

from __future__ import annotations

import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

PAGES = ("basket", "address", "delivery", "payment", "confirm")
FIELDS = {
    "basket": '<input type="number" name="quantity" value="1">',
    "address": '<input name="street" required><input name="city" required>',
    "delivery": '<label><input type="radio" name="speed" value="slow" checked>Slow</label>'
    '<label><input type="radio" name="speed" value="fast">Fast</label>',
    "payment": '<select name="method"><option value="card" selected>Card</option></select>'
    '<input name="number" inputmode="numeric" required>',
    "confirm": '<label><input type="checkbox" name="terms" value="yes">I agree</label>',
}
broken: set[str] = set()


def configure(database: Path) -> None:
    """Set Django up as a shop on `database`, with one customer."""
    settings.configure(
        SECRET_KEY="only-for-this-test",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=__name__,
        LOGIN_URL="/accounts/login/",
        LOGIN_REDIRECT_URL="/shop/",
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(database)}},
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": []}],
    )
    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    User.objects.create_user("probe", password="a-password-of-the-probe")


def page(request: HttpRequest, title: str, body: str) -> HttpResponse:
    """Return a page; a form in it gets its CSRF token from Django."""
    from django.template import engines

    template = engines["django"].from_string(f"<title>{title}</title><h1>{title}</h1>{body}")
    return HttpResponse(template.render({}, request))


def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for name and password; send the customer back to where they came from."""
    from django.contrib.auth import authenticate, login

    where = request.GET.get("next", "/shop/")
    if request.method == "POST":
        user = authenticate(
            request, username=request.POST["username"], password=request.POST["password"]
        )
        if user is not None:
            login(request, user)
            return HttpResponseRedirect(where)
    form = (
        '<form method="post" id="login">{% csrf_token %}<input name="username">'
        '<input type="password" name="password"><button>Sign in</button></form>'
    )
    return page(request, "Sign in", form)


def shop(request: HttpRequest) -> HttpResponse:
    """Show the one article there is."""
    return page(request, "Shop", '<a class="buy" href="/checkout/basket/">Buy the lamp</a>')


def checkout(request: HttpRequest, step: str) -> HttpResponse:
    """Show one page of the checkout, and move on when it is sent."""
    from django.contrib.auth.views import redirect_to_login

    if "break" in request.GET:
        broken.add(request.GET["break"])
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if step in broken and request.method == "POST":
        return page(request, "Sorry", "<p>We could not take your payment.</p>")
    if request.method != "POST":
        form = (
            f'<form method="post" class="step">{{% csrf_token %}}{FIELDS[step]}<button name="go" '
        )
        return page(request, step.title(), form + 'value="on">Continue</button></form>')
    return HttpResponseRedirect(_after(request, step))


def _after(request: HttpRequest, step: str) -> str:
    request.session[step] = dict(request.POST.items())
    if step != PAGES[-1]:
        return f"/checkout/{PAGES[PAGES.index(step) + 1]}/"
    complete = all(request.session.get(name, {}).get("go") == "on" for name in PAGES)
    agreed = request.session["confirm"].get("terms") == "yes"
    return "/checkout/done/A-4711/" if complete and agreed else "/checkout/confirm/"


def done(request: HttpRequest, number: str) -> HttpResponse:
    """Show the order, and what was chosen on the way."""
    chosen = request.session["delivery"]["speed"], request.session["payment"]["method"]
    return page(request, "Thank you", f'<p id="order">{number}</p><p>{" ".join(chosen)}</p>')


def urlpatterns_of() -> list[Any]:
    """Return the addresses of the shop."""
    from django.urls import path

    return [
        path("accounts/login/", sign_in),
        path("shop/", shop),
        path("checkout/done/<str:number>/", done),
        path("checkout/<str:step>/", checkout),
    ]


urlpatterns = urlpatterns_of()


class Server(ThreadingMixIn, WSGIServer):
    """Serves several customers at once."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    """Keeps requests out of the terminal."""

    def log_message(self, *args: object) -> None:
        pass


if __name__ == "__main__":
    sys.modules["foreign_shop"] = sys.modules[__name__]
    configure(Path(sys.argv[1]))
    from django.core.wsgi import get_wsgi_application

    with make_server("127.0.0.1", 0, get_wsgi_application(), Server, Quiet) as server:
        print(f"ready http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
