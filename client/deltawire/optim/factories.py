"""The optimizers that come with deltawire, with their configs as arguments.

`schedule`, `clip_norm` and `clip_value` mean the same for all: `Optimizer` describes them.
"""

from __future__ import annotations

from deltawire.optim.configs import checked_arguments
from deltawire.optim.optimizer import Optimizer
from deltawire_optimizers import Schedule


@checked_arguments
def sgd(
    learning_rate: float = 0.001,
    momentum: float = 0.0,
    dampening: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
    *,
    schedule: Schedule | None = None,
    clip_norm: float | None = None,
    clip_value: float | None = None,
) -> Optimizer:
    """Return stochastic gradient descent, with momentum if there is any.

    Args:
        learning_rate: Of the first step, and of all without a schedule.
        momentum: How much of the last change stays in the next.
        dampening: How much less of a gradient enters the momentum.
        nesterov: Look ahead along the momentum.
        weight_decay: Times the parameter, added to its gradient.
        schedule: What becomes of the learning rate from step to step.
        clip_norm: Largest norm of all gradients together.
        clip_value: Largest number of a gradient.
    """
    return Optimizer(
        "sgd",
        schedule=schedule,
        clip_norm=clip_norm,
        clip_value=clip_value,
        learning_rate=learning_rate,
        momentum=momentum,
        dampening=dampening,
        nesterov=nesterov,
        weight_decay=weight_decay,
    )


@checked_arguments
def adam(
    learning_rate: float = 0.001,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-08,
    amsgrad: bool = False,
    weight_decay: float = 0.0,
    *,
    schedule: Schedule | None = None,
    clip_norm: float | None = None,
    clip_value: float | None = None,
) -> Optimizer:
    """Return Adam.

    Args:
        learning_rate: Of the first step, and of all without a schedule.
        betas: How much of the means of gradient and squared gradient stays in a step.
        eps: Added to the root that a gradient is divided by.
        amsgrad: Divide by the largest mean of squares so far.
        weight_decay: Times the parameter, added to its gradient.
        schedule: What becomes of the learning rate from step to step.
        clip_norm: Largest norm of all gradients together.
        clip_value: Largest number of a gradient.
    """
    return Optimizer(
        "adam",
        schedule=schedule,
        clip_norm=clip_norm,
        clip_value=clip_value,
        learning_rate=learning_rate,
        betas=betas,
        eps=eps,
        amsgrad=amsgrad,
        weight_decay=weight_decay,
    )


@checked_arguments
def adamw(
    learning_rate: float = 0.001,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-08,
    amsgrad: bool = False,
    weight_decay: float = 0.01,
    *,
    schedule: Schedule | None = None,
    clip_norm: float | None = None,
    clip_value: float | None = None,
) -> Optimizer:
    """Return AdamW: Adam with weight decay apart from the gradient.

    Args:
        learning_rate: Of the first step, and of all without a schedule.
        betas: How much of the means of gradient and squared gradient stays in a step.
        eps: Added to the root that a gradient is divided by.
        amsgrad: Divide by the largest mean of squares so far.
        weight_decay: Times the learning rate: the share that a parameter loses in a step.
        schedule: What becomes of the learning rate from step to step.
        clip_norm: Largest norm of all gradients together.
        clip_value: Largest number of a gradient.
    """
    return Optimizer(
        "adamw",
        schedule=schedule,
        clip_norm=clip_norm,
        clip_value=clip_value,
        learning_rate=learning_rate,
        betas=betas,
        eps=eps,
        amsgrad=amsgrad,
        weight_decay=weight_decay,
    )


@checked_arguments
def rmsprop(
    learning_rate: float = 0.01,
    alpha: float = 0.99,
    eps: float = 1e-08,
    weight_decay: float = 0.0,
    momentum: float = 0.0,
    centered: bool = False,
    *,
    schedule: Schedule | None = None,
    clip_norm: float | None = None,
    clip_value: float | None = None,
) -> Optimizer:
    """Return RMSprop.

    Args:
        learning_rate: Of the first step, and of all without a schedule.
        alpha: How much of the mean of squares stays in a step.
        eps: Added to the root that a gradient is divided by.
        weight_decay: Times the parameter, added to its gradient.
        momentum: How much of the last change stays in the next.
        centered: Divide by the standard deviation of the gradient.
        schedule: What becomes of the learning rate from step to step.
        clip_norm: Largest norm of all gradients together.
        clip_value: Largest number of a gradient.
    """
    return Optimizer(
        "rmsprop",
        schedule=schedule,
        clip_norm=clip_norm,
        clip_value=clip_value,
        learning_rate=learning_rate,
        alpha=alpha,
        eps=eps,
        weight_decay=weight_decay,
        momentum=momentum,
        centered=centered,
    )


@checked_arguments
def adagrad(
    learning_rate: float = 0.01,
    lr_decay: float = 0.0,
    weight_decay: float = 0.0,
    initial_accumulator_value: float = 0.0,
    eps: float = 1e-10,
    *,
    schedule: Schedule | None = None,
    clip_norm: float | None = None,
    clip_value: float | None = None,
) -> Optimizer:
    """Return Adagrad.

    Args:
        learning_rate: Of the first step, and of all without a schedule.
        lr_decay: By which the learning rate falls.
        weight_decay: Times the parameter, added to its gradient.
        initial_accumulator_value: The sum of squares before the first step.
        eps: Added to the root that a gradient is divided by.
        schedule: What becomes of the learning rate from step to step.
        clip_norm: Largest norm of all gradients together.
        clip_value: Largest number of a gradient.
    """
    return Optimizer(
        "adagrad",
        schedule=schedule,
        clip_norm=clip_norm,
        clip_value=clip_value,
        learning_rate=learning_rate,
        lr_decay=lr_decay,
        weight_decay=weight_decay,
        initial_accumulator_value=initial_accumulator_value,
        eps=eps,
    )


@checked_arguments
def lion(
    learning_rate: float = 0.0001,
    betas: tuple[float, float] = (0.9, 0.99),
    weight_decay: float = 0.0,
    *,
    schedule: Schedule | None = None,
    clip_norm: float | None = None,
    clip_value: float | None = None,
) -> Optimizer:
    """Return Lion.

    Args:
        learning_rate: Of the first step, and of all without a schedule.
        betas: How much of the mean of gradients stays in the step, and how much in the state.
        weight_decay: Times the learning rate: the share that a parameter loses in a step.
        schedule: What becomes of the learning rate from step to step.
        clip_norm: Largest norm of all gradients together.
        clip_value: Largest number of a gradient.
    """
    return Optimizer(
        "lion",
        schedule=schedule,
        clip_norm=clip_norm,
        clip_value=clip_value,
        learning_rate=learning_rate,
        betas=betas,
        weight_decay=weight_decay,
    )
