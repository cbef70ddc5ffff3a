"""The keys that torch, Keras and optax have for the config of an optimizer or a schedule."""

from __future__ import annotations

from deltawire_plugins.foreign_keys import ForeignKeys

CONFIG_KEYS = ForeignKeys(
    {
        "learning_rate": "lr step_size rate init_value initial_learning_rate alpha eta",
        "betas": "beta_1 beta_2 beta1 beta2 b1 b2",
        "alpha": "rho decay smoothing",
        "eps": "epsilon",
        "weight_decay": "l2 decay wd",
        "lr_decay": "decay",
        "initial_accumulator_value": "initial_accumulator",
        "gamma": "decay_rate factor",
        "step_size": "decay_steps transition_steps",
        "T_max": "decay_steps total_steps",
        "eta_min": "end_value min_lr alpha",
        "total_iters": "warmup_steps warmup num_steps transition_steps",
        "start_factor": "init_value",
        "end_factor": "end_value",
        "milestones": "boundaries",
    },
    {
        "params model parameters var_list": "step takes the parameters: optimizer.step(params, gradients)",
        "clipnorm global_clipnorm max_norm": "it is clip_norm in Python, in JSON norm in clip, beside kind",
        "clipvalue": "it is clip_value in Python, in JSON value in clip, beside kind",
        "maximize": "negate the loss",
        "foreach fused capturable differentiable": "leave it out",
        "momentum": "its betas are its momentum",
    },
)
