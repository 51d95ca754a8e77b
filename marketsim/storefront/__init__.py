"""The storefront: a catalogue, its pages, shoppers who choose from them, and randomised experiments on both."""

from marketsim.core.lazy import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        ".catalog": ["Catalog"],
        ".commands": ["BuyCommand", "VisitCommand"],
        ".config": ["StorefrontConfig"],
        ".embeddings": ["Embeddings"],
        ".engine": ["Storefront"],
        ".page": ["Detail", "Offer", "Page"],
        ".search": ["SearchIndex"],
        ".shopper_config": ["ShopperConfig"],
        ".views.html": ["Links"],
    },
)
