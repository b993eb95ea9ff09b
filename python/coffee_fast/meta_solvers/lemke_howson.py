"""Nash equilibria of two-player games in exact arithmetic, whatever the size of their payoffs."""

from __future__ import annotations

import numpy as np

from coffee_fast.typing import Float64


def lemke_howson(row: Float64, column: Float64) -> tuple[list[Float64], int] | None:
    """Return an equilibrium of payoffs ``row, column [S1, S2]``, at the end of a path of pivots, and their number.

    Every game has one there, degenerate ones included (ties break lexicographically), and every pivot is exact:
    probabilities are right to the last digit. None if no path ends within the pivots allowed. Cost: a path has about as
    many pivots as the game has strategies, rarely many more, each of the square of their number, in integers that grow
    with it. Sources: Lemke and Howson 1964; integer pivots: Edmonds 1967, Bareiss 1968.
    """
    num_rows, size = len(row), sum(row.shape)
    payoffs = [[0] * size for _ in range(size)]  # of the symmetric game whose equilibria are pairs of this one's
    for block, rows, columns in ((row, 0, num_rows), (column.T, num_rows, 0)):
        for i, values in enumerate(_positive_integers(block)):
            payoffs[rows + i][columns : columns + len(values)] = values
    found = _complementary_vertex(payoffs)
    if found is None:
        return None
    vertex, num_pivots = found
    return [_normalized(vertex[:num_rows]), _normalized(vertex[num_rows:])], num_pivots


def symmetric_lemke_howson(payoffs: Float64) -> tuple[list[Float64], int] | None:
    """Return a symmetric equilibrium of the row player's ``payoffs [S, S]``, both mixtures alike, as above."""
    found = _complementary_vertex(_positive_integers(payoffs))
    return None if found is None else ([_normalized(found[0])] * 2, found[1])


def _complementary_vertex(payoffs: list[list[int]], label: int = 0) -> tuple[list[int], int] | None:
    """Return z >= 0, z != 0, times a number, with C z <= 1 and, for each i, z_i = 0 or (C z)_i = 1; and the pivots.

    On the path all i but ``label`` have that.
    """
    size = len(payoffs)
    # w + C z = 1, in columns z, w, 1; at first all w are basic.
    rows = [[*values, *(int(i == j) for j in range(size)), 1] for i, values in enumerate(payoffs)]
    basis, entering, last = list(range(size, 2 * size)), label, 1
    for num_pivots in range(1, 100 * size + 1):
        leaving = _least_ratio(rows, entering, size)
        pivot_row = rows[leaving]
        pivot = pivot_row[entering]
        for i, values in enumerate(rows):
            if i != leaving:
                factor = values[entering]
                rows[i] = [(pivot * x - factor * y) // last for x, y in zip(values, pivot_row, strict=True)]
        last = pivot
        left, basis[leaving] = basis[leaving], entering
        if left % size == label:
            found = [0] * size
            for variable, values in zip(basis, rows, strict=True):
                if variable < size:
                    found[variable] = values[-1]
            return found, num_pivots
        entering = (left + size) % (2 * size)
    return None


def _least_ratio(rows: list[list[int]], entering: int, size: int) -> int:
    """Return the row that limits the entering variable; of several the lexicographically least, so that none cycles."""
    candidates = [i for i, values in enumerate(rows) if values[entering] > 0]
    for column in (2 * size, *range(size, 2 * size)):
        best = candidates[0]
        kept = [best]
        for i in candidates[1:]:
            here, there = rows[i][column] * rows[best][entering], rows[best][column] * rows[i][entering]
            if here < there:
                best, kept = i, [i]
            elif here == there:
                kept.append(i)
        candidates = kept
        if len(candidates) == 1:
            break
    return candidates[0]


def _positive_integers(payoffs: Float64) -> list[list[int]]:
    """Return a positive multiple of the payoffs, all moved above zero, without rounding."""
    ratios = [[value.as_integer_ratio() for value in values] for values in payoffs.tolist()]
    denominator = max(below for values in ratios for _, below in values)  # powers of two
    whole = [[above * (denominator // below) for above, below in values] for values in ratios]
    lowest, highest = min(map(min, whole)), max(map(max, whole))
    step = max(1, (highest - lowest) // 8)
    return [[value - lowest + step for value in values] for values in whole]


def _normalized(values: list[int]) -> Float64:
    total = sum(values)
    return np.array([value / total for value in values])
