"""Numbers from a shop's tables: outcomes, shares, welfare, and the model of what moved the choices."""

from typing import TYPE_CHECKING

from marketsim.core.lazy import lazy_exports

if TYPE_CHECKING:
    from marketsim.analysis.storefront.facts import ShopFacts as ShopFacts
    from marketsim.analysis.storefront.long_table import bought_only as bought_only
    from marketsim.analysis.storefront.long_table import choice_table as choice_table
    from marketsim.analysis.storefront.summary import StorefrontSummary as StorefrontSummary
    from marketsim.analysis.storefront.summary import summarise_storefront as summarise_storefront
    from marketsim.analysis.storefront.tabulation import StorefrontRow as StorefrontRow
    from marketsim.analysis.storefront.tabulation import storefront_row as storefront_row

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        ".facts": ["ShopFacts"],
        ".long_table": ["bought_only", "choice_table"],
        ".summary": ["StorefrontSummary", "summarise_storefront"],
        ".tabulation": ["StorefrontRow", "storefront_row"],
    },
)
