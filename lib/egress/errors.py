"""What is refused, and when a request is given up."""


class EgressError(Exception):
    """A request was refused or stopped. `str(error)` is a sentence for a person and never holds a credential."""


class AddressRefused(EgressError):
    """The host leads to an address that is not public, and the operator has not allowed it."""


class UrlRefused(EgressError):
    """The URL is not one that we ask for: no host, or a user name and password inside it."""


class SchemeRefused(UrlRefused):
    """Neither http nor https, or a redirect from https down to http."""


class RedirectRefused(EgressError):
    """The redirect would send a request body to another origin, or silently turn a write into a read."""


class TooManyRedirects(RedirectRefused):
    pass


class BodyTooLarge(EgressError):
    pass


class DeadlineExceeded(EgressError):
    pass
