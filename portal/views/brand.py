"""An agency's style sheet and logo, under the hash of their content: cached for ever.

They are no pages: exempt from the policy of pages, they get the one that allows nothing.
"""

from csp.decorators import csp_exempt
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from portal import access


@require_safe
@csp_exempt()
def style_sheet(request: HttpRequest, digest: str) -> HttpResponse:
    brand = access.brand_or_404(request, digest)
    return _for_ever(HttpResponse(brand.css, content_type="text/css; charset=utf-8"))


@require_safe
@csp_exempt()
def logo(request: HttpRequest, digest: str) -> HttpResponse:
    brand = access.brand_or_404(request, digest)
    if not brand.logo:
        raise Http404
    return _for_ever(HttpResponse(bytes(brand.logo), content_type="image/png"))


def _for_ever(response: HttpResponse) -> HttpResponse:
    patch_cache_control(response, public=True, max_age=31_536_000, immutable=True)
    return response
