// The order book of marketsim once more, in C++, to measure against: limit orders and cancels, dense order numbers,
// the whole event log in columns. Written to be fast: 32-byte orders with 32-bit links, the matching loop compiled
// once a side, three layers of bitmap for the best price, nothing allocated while it runs.
//
//     g++ -O3 -march=native -std=c++17 -shared -fPIC book.cpp -o book.so
//
// Messages and log are int64 columns as in marketsim/exchange/codes.py.

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

using i64 = std::int64_t;
using u64 = std::uint64_t;
using u32 = std::uint32_t;

enum { ADD, CANCEL };
enum { ACCEPTED = 1, CANCELLED, TRADE, REJECTED = 7 };
enum { UNKNOWN_ORDER = 1, INVALID_SIZE, PRICE_RANGE };
constexpr int COLUMNS = 10;
constexpr u32 WINDOW = 1u << 18;
constexpr u32 NO_PRICE = ~0u;

struct alignas(32) Order {
    i64 id, size;
    u32 price, previous, next, owner_and_side;
};

struct Level {
    u32 head, tail;
    i64 size, count;
};

struct Bitmap {
    u64 leaf[WINDOW >> 6], middle[WINDOW >> 12], top;

    void set(u32 i) {
        leaf[i >> 6] |= 1ull << (i & 63);
        middle[i >> 12] |= 1ull << (i >> 6 & 63);
        top |= 1ull << (i >> 12);
    }
    void clear(u32 i) {
        if ((leaf[i >> 6] &= ~(1ull << (i & 63))) == 0 && (middle[i >> 12] &= ~(1ull << (i >> 6 & 63))) == 0)
            top &= ~(1ull << (i >> 12));
    }
    u32 lowest() const {
        if (top == 0) return NO_PRICE;
        u32 a = __builtin_ctzll(top), b = a << 6 | __builtin_ctzll(middle[a]);
        return b << 6 | __builtin_ctzll(leaf[b]);
    }
    u32 highest() const {
        if (top == 0) return NO_PRICE;
        u32 a = 63 - __builtin_clzll(top), b = a << 6 | (63 - __builtin_clzll(middle[a]));
        return b << 6 | (63 - __builtin_clzll(leaf[b]));
    }
};

struct Side {
    Bitmap bitmap;
    Level levels[WINDOW];
    u32 best;
};

struct Book {
    Side sides[2];  // buys, sells
    Order* orders;
    u32* slot_of_id;
    i64* log;
    i64 rows, capacity, base, next_id, ids;
    u32 free_slot;

    void emit(i64 message, i64 kind, i64 id, i64 other, i64 side, i64 price, i64 size, i64 left, i64 owner, i64 maker) {
        i64* row = log + rows++;
        row[0] = message;
        row[capacity] = kind;
        row[2 * capacity] = id;
        row[3 * capacity] = other;
        row[4 * capacity] = side;
        row[5 * capacity] = price;
        row[6 * capacity] = size;
        row[7 * capacity] = left;
        row[8 * capacity] = owner;
        row[9 * capacity] = maker;
    }

    template <int SIDE>
    u32 find_best() const {
        return SIDE == 0 ? sides[0].bitmap.highest() : sides[1].bitmap.lowest();
    }

    void release(u32 slot) {
        slot_of_id[orders[slot].id] = 0;
        orders[slot].next = free_slot;
        free_slot = slot;
    }

    template <int SIDE>
    void add(i64 message, i64 price, i64 size, i64 owner) {
        constexpr i64 sign = SIDE == 0 ? 1 : -1;
        const i64 id = next_id++, asked = size;
        const u64 tick = u64(price - base);
        if (size <= 0 || tick >= WINDOW) {
            emit(message, REJECTED, id, size <= 0 ? INVALID_SIZE : PRICE_RANGE, sign, price, size, 0, owner, 0);
            return;
        }
        Side& theirs = sides[1 - SIDE];
        while (size > 0 && theirs.best != NO_PRICE && (SIDE == 0 ? theirs.best <= tick : theirs.best >= tick)) {
            Level& level = theirs.levels[theirs.best];
            const i64 at = base + theirs.best;
            u32 slot = level.head;
            while (size > 0 && slot != 0) {
                Order& maker = orders[slot];
                const i64 lots = size < maker.size ? size : maker.size;
                const u32 next = maker.next;
                size -= lots;
                maker.size -= lots;
                level.size -= lots;
                emit(message, TRADE, id, maker.id, sign, at, lots, maker.size, owner, maker.owner_and_side >> 1);
                if (maker.size == 0) {
                    --level.count;
                    release(slot);
                    slot = next;
                }
            }
            level.head = slot;
            if (slot == 0) {
                level.tail = 0;
                theirs.bitmap.clear(theirs.best);
                theirs.best = find_best<1 - SIDE>();
            } else {
                orders[slot].previous = 0;
            }
        }
        if (size > 0) {
            Side& ours = sides[SIDE];
            Level& level = ours.levels[tick];
            const u32 slot = free_slot, last = level.tail;
            free_slot = orders[slot].next;
            orders[slot] = {id, size, u32(tick), last, 0, u32(owner << 1 | SIDE)};
            if (last == 0) {
                level.head = slot;
                ours.bitmap.set(u32(tick));
                if (ours.best == NO_PRICE || (SIDE == 0 ? tick > ours.best : tick < ours.best)) ours.best = u32(tick);
            } else {
                orders[last].next = slot;
            }
            level.tail = slot;
            level.size += size;
            ++level.count;
            slot_of_id[id] = slot;
        }
        emit(message, ACCEPTED, id, 0, sign, price, asked, size, owner, 0);
    }

    void cancel(i64 message, i64 id, i64 side, i64 price, i64 size, i64 owner) {
        const u32 slot = id > 0 && id < next_id ? slot_of_id[id] : 0;
        if (slot == 0) {
            emit(message, REJECTED, id, UNKNOWN_ORDER, side, price, size, 0, owner, 0);
            return;
        }
        const Order order = orders[slot];
        const int s = order.owner_and_side & 1;
        Side& ours = sides[s];
        Level& level = ours.levels[order.price];
        (order.previous ? orders[order.previous].next : level.head) = order.next;
        (order.next ? orders[order.next].previous : level.tail) = order.previous;
        level.size -= order.size;
        if (--level.count == 0) {
            ours.bitmap.clear(order.price);
            if (ours.best == order.price) ours.best = s == 0 ? find_best<0>() : find_best<1>();
        }
        release(slot);
        emit(message, CANCELLED, id, 0, 1 - 2 * s, base + order.price, order.size, 0, order.owner_and_side >> 1, 0);
    }
};

template <typename T>
T* zeros(i64 n) {
    void* memory = std::aligned_alloc(64, (u64(n) * sizeof(T) + 63) / 64 * 64);
    std::memset(memory, 0, u64(n) * sizeof(T));
    return static_cast<T*>(memory);
}

}  // namespace

extern "C" {

Book* book_new(i64 orders, i64 ids, i64 rows, i64 base) {
    Book* book = zeros<Book>(1);
    book->orders = zeros<Order>(orders + 1);
    for (i64 slot = 1; slot < orders; ++slot) book->orders[slot].next = u32(slot + 1);
    book->slot_of_id = zeros<u32>(ids + 1);
    book->capacity = rows % 512 < 8 ? rows + 8 : rows;
    book->log = zeros<i64>(COLUMNS * book->capacity);
    book->base = base;
    book->next_id = 1;
    book->ids = ids;
    book->free_slot = 1;
    book->sides[0].best = book->sides[1].best = NO_PRICE;
    return book;
}

void book_free(Book* book) {
    std::free(book->orders);
    std::free(book->slot_of_id);
    std::free(book->log);
    std::free(book);
}

// Carry out messages first to end - 1 of a batch int64[7, n]; the caller has made room for all of them.
void book_run(Book* book, const i64* messages, i64 n, i64 first, i64 end) {
    for (i64 i = first; i < end; ++i) {
        const i64 kind = messages[i], id = messages[n + i], side = messages[2 * n + i];
        const i64 price = messages[3 * n + i], size = messages[4 * n + i], owner = messages[6 * n + i];
        if (kind == CANCEL)
            book->cancel(i, id, side, price, size, owner);
        else if (side > 0)
            book->add<0>(i, price, size, owner);
        else
            book->add<1>(i, price, size, owner);
    }
}

void book_clear_log(Book* book) { book->rows = 0; }

i64 book_rows(const Book* book) { return book->rows; }

// FNV-1a over the 64-bit words of the log, row by row.
u64 book_hash(const Book* book) {
    u64 digest = 0xCBF29CE484222325ull;
    for (i64 row = 0; row < book->rows; ++row)
        for (int column = 0; column < COLUMNS; ++column)
            digest = (digest ^ u64(book->log[column * book->capacity + row])) * 0x100000001B3ull;
    return digest;
}
}
