"""The exceptions coffee_fast raises. Each message names the function or file, what was expected and what came."""


class CoffeeError(Exception):
    """Base of every error that coffee_fast raises on purpose."""


class ModelWarning(UserWarning):
    """A fitted model is not to be trusted; the message says why and what to do."""


class InvalidArgumentError(CoffeeError, ValueError):
    """An argument breaks the contract of a function."""


class InvalidGameError(CoffeeError, ValueError):
    """Payoffs or game parameters that do not describe a game."""


class DatasetError(CoffeeError, ValueError):
    """A dataset, or a file of one, that is malformed; the message says trajectory and step where there is one."""


class ConfigError(CoffeeError, ValueError):
    """A configuration with an unknown field or an impossible value."""


class CheckpointError(CoffeeError):
    """A run folder or weight file that is damaged, incomplete or of another configuration."""


class NumericalError(CoffeeError, ArithmeticError):
    """A computation that left the numbers it can work with."""
