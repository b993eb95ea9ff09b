"""Values of teams in torch: what each teammate's own values come to, by a sum or a monotone network, or bound."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from coffee_fast.regularized.robust._torch_fitting import ActionValues, Perceptron, with_actions
from coffee_fast.regularized.robust.decisions import Decisions
from coffee_fast.regularized.robust.fitting import Fitting
from coffee_fast.seeding import derive_seed


class MonotoneMixer:
    """A value of the team that grows with each teammate's: a network whose weights, none negative, depend on the state.

    ``[B, N]`` values and ``[B, D]`` states to ``[B]``.
    """

    def __init__(self, num_players: int, num_inputs: int, width: int, generator: torch.Generator) -> None:
        self.shape = (num_players, width)
        self.weights_in, self.bias_in, self.weights_out = (
            Perceptron((num_inputs, size), generator) for size in (num_players * width, width, width)
        )
        self.bias_out = Perceptron((num_inputs, width, 1), generator)

    @property
    def parameters(self) -> list[torch.Tensor]:
        parts = (self.weights_in, self.bias_in, self.weights_out, self.bias_out)
        return [parameter for part in parts for parameter in part.parameters]

    def __call__(self, values: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        weights = self.weights_in(state).abs().view(-1, *self.shape)
        hidden = torch.nn.functional.elu((values[:, :, None] * weights).sum(dim=1) + self.bias_in(state))
        return (hidden * self.weights_out(state).abs()).sum(dim=1) + self.bias_out(state)[:, 0]


class TeamValues:
    """Values of a team's decisions, one part a player; the best of the team is the best of each."""

    def __init__(self, parts: Sequence[Decisions], fitting: Fitting, width: int | None, purpose: str) -> None:
        self.players = [ActionValues(part, fitting, f"{purpose}/{i}") for i, part in enumerate(parts)]
        self.state = torch.cat([player.inputs.rows for player in self.players], dim=1)
        self.mixer: MonotoneMixer | None = None
        if width is not None:
            generator = torch.Generator().manual_seed(derive_seed(fitting.seed, f"{purpose}/mixer"))
            self.mixer = MonotoneMixer(len(parts), self.state.shape[1], width, generator)

    @property
    def parameters(self) -> list[torch.Tensor]:
        own = [parameter for player in self.players for parameter in player.parameters]
        return own + ([] if self.mixer is None else self.mixer.parameters)

    def best(self, rows: torch.Tensor) -> torch.Tensor:
        return self._mixed([player.best(rows) for player in self.players], rows)

    def chosen(self, rows: torch.Tensor) -> torch.Tensor:
        return self._mixed([player.chosen(rows) for player in self.players], rows)

    def strain(self, rows: torch.Tensor) -> torch.Tensor:
        """Return ``[B]``: nothing, as there is nothing else to learn."""
        return torch.zeros(len(rows))

    def _mixed(self, values: Sequence[torch.Tensor], rows: torch.Tensor) -> torch.Tensor:
        together = torch.stack(list(values), dim=1)
        return together.sum(dim=1) if self.mixer is None else self.mixer(together, self.state[rows])


class BoundedValues(TeamValues):
    """Values of a team's actions together, which parts of the players bound from above, and meet at their best.

    Up to what depends on the state alone: so what is best for each is best for the team, whatever the values are.
    """

    def __init__(self, parts: Sequence[Decisions], fitting: Fitting, width: int, purpose: str) -> None:
        super().__init__(parts, fitting, None, purpose)
        generator = torch.Generator().manual_seed(derive_seed(fitting.seed, f"{purpose}/together"))
        self.sizes = [part.legal.shape[1] for part in parts]
        self.together = Perceptron((self.state.shape[1] + sum(self.sizes), *fitting.hidden_sizes, 1), generator)
        self.rest = Perceptron((self.state.shape[1], width, 1), generator)

    @property
    def parameters(self) -> list[torch.Tensor]:
        return [*super().parameters, *self.together.parameters, *self.rest.parameters]

    def best(self, rows: torch.Tensor) -> torch.Tensor:
        return self._worth(rows, [player.greedy(rows) for player in self.players])

    def chosen(self, rows: torch.Tensor) -> torch.Tensor:
        return self._worth(rows, [player.action[rows] for player in self.players])

    def strain(self, rows: torch.Tensor) -> torch.Tensor:
        """Return ``[B]``: by how much the parts fail to bound what was chosen and to meet what is best, squared."""
        with torch.no_grad():
            chosen, best = self.chosen(rows), self.best(rows)
        rest = self.rest(self.state[rows])[:, 0]
        above = super().chosen(rows) + rest - chosen
        at_best = super().best(rows) + rest - best
        return at_best**2 + above.clamp(max=0.0) ** 2

    def _worth(self, rows: torch.Tensor, actions: Sequence[torch.Tensor]) -> torch.Tensor:
        marked = [(action.numpy(), size) for action, size in zip(actions, self.sizes, strict=True)]
        return self.together(with_actions(self.state[rows], marked))[:, 0]
