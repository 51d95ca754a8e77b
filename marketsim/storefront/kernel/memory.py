"""How a shop lies in memory: what each column of its arrays is, and the codes that stand in them."""

# ---- header -----------------------------------------------------------------------------------------------------
(
    H_NOW,  # time of the last event
    H_NEXT,  # time of the next event of a population: what peek reads
    H_SEQUENCE,  # of the next event that is planned
    H_CHOICE_SETS,  # pages shown so far
    H_EVENTS,  # events carried out so far
    H_IMPRESSIONS,  # rows of the log of impressions
    H_CHOICES,  # rows of the log of choices
    H_RECORD_IMPRESSIONS,
    H_RECORD_CHOICES,
    H_HEARS,  # whether Python hears of each sale
    H_REGIME,
    H_SLOTS,  # offers shown at a visit
    H_SLOTS_PER_PAGE,
    H_COLUMNS,
    H_IS_DYNAMIC,  # whether the ranking changes from visit to visit
    H_POPULATIONS,
    H_START,  # time of day at which the run begins, ns
    H_SHOPPER,  # of the page that lies in ``offers``
    H_SHELF,
    H_CHOICE_SET,
    H_SHOWN,  # its offers
    H_CHOSEN,  # slot, -1: left
    H_NEED_SHOWN,  # whether an offer meets all needs
) = range(23)
N_HEADER = 24
STATE_WORDS = (H_NOW, H_NEXT, H_SEQUENCE, H_CHOICE_SETS, H_EVENTS)

# ---- regimes ----------------------------------------------------------------------------------------------------
FIXED, PERMUTATION, ACES, FACTORIAL, SOBOL, IDENTICAL = range(6)
REGIMES = ("fixed", "permutation", "aces", "factorial", "sobol", "identical")

# ---- law: numbers of a regime -----------------------------------------------------------------------------------
(
    L_PRICE_DEVIATION,
    L_RATING_WIDTH,
    L_REVIEW_DEVIATION,
    L_SPONSORED_CHANCE,
    L_SPONSORED_MOST,
    L_PICK_CHANCE,
    L_SCARCITY_CHANCE,
    L_PRICE_LEVELS,  # numbers of levels
    L_RATING_LEVELS,
    L_REVIEW_LEVELS,
    L_TAG_SPONSORED,  # whether the factorial has the tag
    L_TAG_PICK,
    L_TAG_SCARCITY,
    L_PRICE_CUT,
    L_PRICE_CUT_MINOR,
    L_RATING_GAIN_TENTHS,
    L_RATING_DEVIATION,
    L_VELOCITY_WEIGHT,
    L_EXPLORATION_WEIGHT,
    L_VELOCITY_DECAY,  # per ns
) = range(20)
N_LAW = 24
LEVEL_ROWS = 3  # price, rating, reviews
MAX_LEVELS = 16

# ---- products ---------------------------------------------------------------------------------------------------
P_PRICE, P_WAS, P_RATING, P_REVIEWS, P_CATEGORY, P_PICK, P_BEST_SELLER, P_LIMITED, P_LEFT = range(9)
PRODUCT_WORDS = 10
PF_LN_PRICE, PF_LN_REVIEWS, PF_QUALITY = range(3)
PRODUCT_FLOATS = 3

# ---- shelves: the products that a category or a query brings up -------------------------------------------------
S_FIRST, S_COUNT, S_CATEGORY, S_QUERY, S_ENTITY = range(5)
SHELF_WORDS = 6
E_PRODUCT, E_PAID = range(2)  # E_PAID: the slot that is sold to it, or -1
ENTRY_WORDS = 2

# ---- populations ------------------------------------------------------------------------------------------------
(
    W_NEXT,  # time of the next arrival
    W_SEQUENCE,
    W_ARRIVALS,  # arrivals so far, those that did not come in among them
    W_MODE,
    W_COUNT,
    W_FIRST_SHOPPER,
    W_FIRST_CLASS,
    W_CLASSES,
    W_HAS_TASTES,  # whether coefficients vary over shoppers
    W_ATTENTION,
    W_CONSIDER,  # size of the consideration set; 0: no limit
    W_CONSIDER_BY,
    W_BUDGET,
    W_WALLET,
    W_FIRST_WALLET,  # place in ``spent``; -1: none
    W_FIRST_SHELF,  # place in ``visited``
    W_SHELVES,
    W_TRIALS,  # per shelf
    W_STEP,  # time between two trials
    W_HAS_NESTS,
    W_HAS_OUTSIDE,
    W_NEED_PRICE,  # most that the person served wants to pay
) = range(22)
POPULATION_WORDS = 24
TRIALS, POISSON, GUESTS = range(3)
FULL, POSITION, CASCADE = range(3)
BY_SLOT, BY_PRICE, BY_RATING, BY_REVIEWS = range(4)
WF_RATE, WF_PERSISTENCE, WF_DISSIMILARITY, WF_PRINCIPAL_OUTSIDE = range(4)
POPULATION_FLOATS = 4
HOURS = 24

# ---- streams of draws, per population ---------------------------------------------------------------------------
KEY_PAGE, KEY_CHOICE, KEY_ARRIVAL, KEY_TASTE = range(4)
PURPOSES = ("page", "choice", "arrival", "taste")

# ---- features of an offer: what coefficients multiply -----------------------------------------------------------
(
    X_LN_PRICE,
    X_PRICE,
    X_LN_REVIEWS,
    X_RATING,
    X_QUALITY,
    X_NEED,
    X_SPONSORED,
    X_PICK,
    X_BEST_SELLER,
    X_LIMITED,
    X_DISCOUNTED,
    X_SCARCITY,
) = range(12)
N_FEATURES = 12
N_INTRINSIC = 6
"""Features that the principal cares about: the first ones."""
FEATURES = (
    "ln_price",
    "price",
    "ln_reviews",
    "rating",
    "quality",
    "need",
    "sponsored",
    "overall_pick",
    "best_seller",
    "limited_time",
    "discounted",
    "scarcity",
)
C_SHARE, C_OUTSIDE = range(2)  # of a class: its share and those before, utility of leaving
CLASS_WORDS = 2

# ---- offers: the page at hand -----------------------------------------------------------------------------------
(
    O_PRODUCT,
    O_PRICE,
    O_WAS,
    O_RATING,
    O_REVIEWS,
    O_SPONSORED,
    O_PICK,
    O_BEST_SELLER,
    O_LIMITED,
    O_LEFT,
    O_EXAMINED,
    O_CONSIDERED,
) = range(12)
OFFER_WORDS = 12
(OF_PLACE, OF_SPONSORED, OF_PICK, OF_SCARCITY, OF_CELL, OF_WEIGHT, OF_WELFARE) = range(7)
OFFER_FLOATS = 8
"""The first five are propensities: of the place, of the tags, of the cell of a factorial."""

# ---- worth: of a page to the person served ----------------------------------------------------------------------
BEST_SHOWN, BEST_LISTED, MEAN_SHOWN = range(3)
N_WORTH = 3

# ---- outcomes ---------------------------------------------------------------------------------------------------
LEFT, BOUGHT, INVALID, OPEN = range(4)
OUTCOMES = {LEFT: "left", BOUGHT: "bought", INVALID: "invalid", OPEN: "open"}

# ---- logs -------------------------------------------------------------------------------------------------------
N_IMPRESSION_COLUMNS = 21
N_IMPRESSION_FLOATS = 4
N_CHOICE_COLUMNS = 12
N_CHOICE_FLOATS = 4
SOBOL_BITS = 30
SOBOL_LOG = 16
"""Points of a Sobol sequence before it begins again with another digital shift: 2 to this power."""
