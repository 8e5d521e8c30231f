"""Views: an index out of other indexes, one small file each.

A view is a frozen dataclass that takes what it wraps first, so that the `repr` of a stack is the
configuration it stands for.
"""
