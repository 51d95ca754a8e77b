"""Views of memory for kernels: an address and a length in place of a NumPy array.

Inside a kernel Numba hands an array on as seven to ten numbers, and counts references to its owner, at each call of a
helper. Kernels that pass dozens of arrays around spend most of their compilation on that. A view is two numbers, has
no owner, and its row length is known when the kernel is compiled. It has what kernels use: ``view[i]``,
``view[i, j]``, ``view[i]`` as a row, ``view.shape``, and ``view.ctypes.data``. Indices are not checked and never count
from the end; so where bounds are to be checked (``NUMBA_BOUNDSCHECK=1``) arrays take the place of views.
"""

import operator

from numba import carray, types
from numba.core import cgutils
from numba.core.imputils import impl_ret_borrowed
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate, infer_getattr, infer_global, signature
from numba.extending import intrinsic, lower_builtin, lower_getattr, models, register_model

from marketsim.core.jit import BOUNDS_CHECKED, inlined, pointer

ROWS, COLUMNS, VECTOR = "rows", "columns", "vector"


class ViewType(types.Type):
    """A view: of rows of ``width`` items, of ``width`` columns of any length, or of single items."""

    def __init__(self, dtype, layout, width):
        self.dtype, self.layout, self.width = dtype, layout, width
        super().__init__(name=f"View({dtype}, {layout}, {width})")


@register_model(ViewType)
class _ViewModel(models.StructModel):
    def __init__(self, manager, view):
        super().__init__(manager, view, [("data", types.CPointer(view.dtype)), ("length", types.int64)])


_PAIR = types.UniTuple(types.int64, 2)


def _index_of(view, index):
    """Type that an index is converted to; None where there is no such item."""
    if isinstance(index, types.Integer):
        return types.int64
    if view.layout != VECTOR and isinstance(index, types.BaseTuple) and len(index) == 2:
        return _PAIR if all(isinstance(place, types.Integer) for place in index) else None
    return None


@infer_global(operator.getitem)
class _GetItem(AbstractTemplate):
    def generic(self, arguments, named):
        view, index = arguments
        if not isinstance(view, ViewType) or _index_of(view, index) is None:
            return None
        is_row = view.layout == ROWS and isinstance(index, types.Integer)
        result = ViewType(view.dtype, VECTOR, 0) if is_row else view.dtype
        return signature(result, view, _index_of(view, index))


@infer_global(operator.setitem)
class _SetItem(AbstractTemplate):
    def generic(self, arguments, named):
        view, index, _ = arguments
        if not isinstance(view, ViewType) or _index_of(view, index) is None:
            return None
        return signature(types.none, view, _index_of(view, index), view.dtype)


@infer_getattr
class _Attributes(AttributeTemplate):
    key = ViewType

    def resolve_shape(self, view):
        return types.UniTuple(types.int64, 1 if view.layout == VECTOR else 2)

    def resolve_ctypes(self, view):
        return view

    def resolve_data(self, view):
        return types.int64


def _struct(context, builder, view, value):
    return cgutils.create_struct_proxy(view)(context, builder, value=value)


def _place(context, builder, view, value, index_type, index):
    """Pointer to an item, or to the first of a row."""
    struct = _struct(context, builder, view, value)
    word = context.get_value_type(types.int64)
    width = word(view.width)
    if index_type == types.int64:
        place = index if view.layout == VECTOR else builder.mul(index, width)
    else:
        i, j = cgutils.unpack_tuple(builder, index)
        length = width if view.layout == ROWS else struct.length
        place = builder.add(builder.mul(i, length), j)
    return builder.gep(struct.data, [place])


@lower_builtin(operator.getitem, ViewType, types.Integer)
@lower_builtin(operator.getitem, ViewType, types.UniTuple)
def _lower_getitem(context, builder, signature, arguments):
    view, index_type = signature.args
    place = _place(context, builder, view, arguments[0], index_type, arguments[1])
    if not isinstance(signature.return_type, ViewType):
        return context.unpack_value(builder, view.dtype, place)
    row = cgutils.create_struct_proxy(signature.return_type)(context, builder)
    row.data, row.length = place, context.get_value_type(types.int64)(view.width)
    return row._getvalue()


@lower_builtin(operator.setitem, ViewType, types.Integer, types.Any)
@lower_builtin(operator.setitem, ViewType, types.UniTuple, types.Any)
def _lower_setitem(context, builder, signature, arguments):
    view, index_type, _ = signature.args
    place = _place(context, builder, view, arguments[0], index_type, arguments[1])
    context.pack_value(builder, view.dtype, arguments[2], place)
    return context.get_dummy_value()


@lower_getattr(ViewType, "shape")
def _lower_shape(context, builder, view, value):
    length, width = _struct(context, builder, view, value).length, context.get_value_type(types.int64)(view.width)
    shape = {VECTOR: [length], ROWS: [length, width], COLUMNS: [width, length]}[view.layout]
    return cgutils.pack_array(builder, shape)


@lower_getattr(ViewType, "ctypes")
def _lower_ctypes(context, builder, view, value):
    return impl_ret_borrowed(context, builder, view, value)


@lower_getattr(ViewType, "data")
def _lower_data(context, builder, view, value):
    return builder.ptrtoint(_struct(context, builder, view, value).data, context.get_value_type(types.int64))


def _maker(layout):
    """An intrinsic that makes a view of ``length`` rows or items at an address."""

    @intrinsic(prefer_literal=True)
    def make(typing_context, address, length, width, dtype):
        view = ViewType(dtype.dtype, layout, width.literal_value)

        def generate(context, builder, signature, arguments):
            struct = cgutils.create_struct_proxy(view)(context, builder)
            struct.data = builder.inttoptr(arguments[0], context.get_value_type(types.CPointer(view.dtype)))
            struct.length = arguments[1]
            return struct._getvalue()

        return view(types.int64, types.int64, width, dtype), generate

    return make


rows_at, columns_at, _vector_at = (_maker(layout) for layout in (ROWS, COLUMNS, VECTOR))


@inlined
def vector_at(address, length, dtype):
    """View of ``length`` single items."""
    return _vector_at(address, length, 0, dtype)


if BOUNDS_CHECKED:

    @inlined
    def rows_at(address, length, width, dtype):
        """Array of ``length`` rows of ``width`` items."""
        return carray(pointer(address), (length, width), dtype)

    @inlined
    def columns_at(address, length, width, dtype):
        """Array of ``width`` columns of ``length`` items."""
        return carray(pointer(address), (width, length), dtype)

    @inlined
    def vector_at(address, length, dtype):
        """Array of ``length`` single items."""
        return carray(pointer(address), length, dtype)
