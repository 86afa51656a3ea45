"""Gauss-Newton with conjugate gradients on lists of tensors.

Reference: Danelljan et al., "ATOM: Accurate Tracking by Overlap Maximization", CVPR 2019, Sec. 3.3, Algorithm 1. A
problem minimises |r(x)|^2; J is the Jacobian of r at the point of linearisation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ltr.tensors import TensorList

Operator = Callable[[TensorList], TensorList]


@dataclass(frozen=True)
class Linearisation:
    """A problem at one point.

    Attributes:
        descent: -J^T r.
        normal: d -> J^T J d.
    """

    descent: TensorList
    normal: Operator


class Problem(Protocol):
    """A nonlinear least-squares problem."""

    def linearise(self, point: TensorList) -> Linearisation:
        """The problem at `point`."""

    def precondition(self, residual: TensorList) -> TensorList:
        """An approximation of (J^T J)^-1 times `residual`, up to a factor."""


def inner(a: TensorList, b: TensorList) -> float:
    """Sum of the products of all elements."""
    return sum(float((x * y).sum()) for x, y in zip(a, b, strict=True))


class ConjugateGradient:
    """Solver of A d = b for a symmetric, positive A that is known by its products.

    Args:
        fletcher_reeves: that rule for the direction; otherwise Polak-Ribiere.
        standard_alpha: step rho / <p, A p>; otherwise <p, r> / <p, A p>.
        forgetting: what is kept of the direction between two calls, in (0, 1]; `None` starts every call anew.
    """

    def __init__(self, fletcher_reeves: bool = False, standard_alpha: bool = True,
                 forgetting: float | None = None) -> None:
        self.fletcher_reeves = fletcher_reeves
        self.standard_alpha = standard_alpha
        self.forgetting = forgetting
        self._kept: tuple[TensorList, float, TensorList] | None = None

    def solve(self, normal: Operator, b: TensorList, iterations: int,
              precondition: Operator = lambda r: r) -> TensorList:
        """Approximate solution after some iterations from zero.

        Args:
            normal: d -> A d.
            b: right side.
            iterations: their number; fewer where the residual vanishes.
            precondition: r -> M^-1 r, with M like A.
        """
        solution, residual = b * 0.0, b
        direction, rho, previous = self._start()
        for _ in range(iterations):
            z = precondition(residual)
            last_rho, rho_now = rho, inner(residual, z)
            if rho_now == 0:
                break
            if direction is None:
                direction = z
            else:
                change = rho_now if self.fletcher_reeves else rho_now - inner(previous, z)
                direction = z + direction * max(change / last_rho, 0.0)
            image = normal(direction)
            slope = rho_now if self.standard_alpha else inner(direction, residual)
            alpha = slope / inner(direction, image)
            solution = solution + direction * alpha
            rho, previous, residual = rho_now, residual, residual - image * alpha
        if self.forgetting is not None and direction is not None:
            self._kept = direction, rho, previous
        return solution

    def _start(self) -> tuple[TensorList | None, float, TensorList]:
        """Direction, rho and residual of the iteration before the first one."""
        if self._kept is None or self.forgetting is None:
            return None, 1.0, TensorList()
        direction, rho, previous = self._kept
        return direction, rho / self.forgetting, previous


def gauss_newton(problem: Problem, point: TensorList, iterations: Sequence[int],
                 solver: ConjugateGradient) -> TensorList:
    """The point after one Gauss-Newton step for every number of `iterations` (of conjugate gradients).

    No damping, no line search. The solver starts anew in every step unless it keeps its direction.
    """
    for number in iterations:
        model = problem.linearise(point)
        point = point + solver.solve(model.normal, model.descent, number, problem.precondition)
    return point
