"""The names that torch, Keras, jax and optax have for layers, and the kinds that stand for them here.

Case and underscores do not matter: `CrossEntropyLoss` and `cross_entropy_loss` are one name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

EQUAL: Mapping[str, str] = {
    "abs": "absolute",
    "absolute_error": "L1Loss",
    "focal": "sigmoid_focal_loss",
    "triplet": "TripletMarginLoss",
    "cumsum": "cumulative_sum",
    "expand": "broadcast_to",
    "logsumexp": "reduce_logsumexp",
    "min": "amin reduce_min",
    "pad": "ZeroPad1d ZeroPad2d ZeroPad3d ConstantPad1d ConstantPad2d ConstantPad3d "
    "ZeroPadding1D ZeroPadding2D ZeroPadding3D",
    "take": "index_select",
    "variance": "var reduce_variance",
    "add": "plus",
    "affine": "Rescaling",
    "attention": "scaled_dot_product_attention dot_product_attention sdpa",
    "adaptive_avg_pool1d": "AdaptiveAveragePooling1D",
    "adaptive_avg_pool2d": "AdaptiveAveragePooling2D",
    "adaptive_max_pool1d": "AdaptiveMaxPooling1D adaptive_max_pool1d_with_indices",
    "adaptive_max_pool2d": "AdaptiveMaxPooling2D adaptive_max_pool2d_with_indices",
    "avg_pool1d": "AveragePooling1D average_pool1d",
    "avg_pool2d": "AveragePooling2D average_pool2d",
    "clip": "clamp",
    "concat": "Concatenate cat concatenation",
    "conv1d": "LazyConv1d Convolution1D",
    "conv2d": "LazyConv2d Convolution2D",
    "conv_transpose1d": "LazyConvTranspose1d Conv1DTranspose",
    "conv_transpose2d": "LazyConvTranspose2d Conv2DTranspose",
    "divide": "div true_divide",
    "elman": "RNN SimpleRNN RNNBase",
    "embedding": "lookup",
    "rotary": "RotaryEmbedding RotaryPositionalEmbeddings",
    "flatten": "ravel",
    "group_norm": "GroupNormalization",
    "hardswish": "hard_silu",
    "huber": "HuberLoss",
    "identity": "noop",
    "kl_divergence": "KLDivLoss kl_div kldiv",
    "layer_norm": "LayerNormalization",
    "linear": "Dense LazyLinear fully_connected fc",
    "log": "ln",
    "matmul": "bmm mm",
    "max_pool1d": "MaxPooling1D max_pool1d_with_indices",
    "max_pool2d": "MaxPooling2D max_pool2d_with_indices",
    "mean": "reduce_mean",
    "multi_head_attention": "MultiheadAttention multi_head_attention_forward mha",
    "multiply": "mul times",
    "negate": "neg negative",
    "nll": "NLLLoss NLLLoss2d",
    "power": "pow",
    "reshape": "Unflatten view",
    "rms_norm": "RMSNormalization",
    "sigmoid": "logistic",
    "silu": "swish",
    "softmax_nll": "CrossEntropyLoss cross_entropy SparseCategoricalCrossentropy "
    "softmax_cross_entropy_with_integer_labels",
    "subtract": "sub minus",
    "sum": "reduce_sum",
    "transpose": "Permute swapaxes",
    "binary_nll": "BCEWithLogitsLoss binary_cross_entropy_with_logits sigmoid_binary_cross_entropy",
}
"""By kind, other names of the same function. Names that differ in case or underscores only are left out."""

NOT_3D = "windows slide along one or two axes"
ONE_HOT = "it takes integer labels, not one-hot vectors; for other targets, kl_divergence of log_softmax"
CELL = "the whole sequence is one layer"
PADDING_GUIDE = "'Sequences of different lengths' in docs/python.md"

CLOSEST: Mapping[str, tuple[str, str]] = {
    # Losses.
    "MSELoss MeanSquaredError mse": ("squared_error", "it sums over an example; a mean needs its count"),
    "l2_loss": ("squared_error", "optax's is half of it: weight the loss by 0.5"),
    "MeanSquaredLogarithmicError msle": ("squared_error", "of the log of affine values, x + 1"),
    "MeanAbsolutePercentageError mape": ("abs", "of the error divided by the target"),
    "MeanAbsoluteError mae": ("absolute_error", "it sums over an example; a mean needs its count"),
    "LogCosh logcosh": ("softplus", "log cosh e = e + softplus(−2e) − log 2"),
    "BCELoss binary_cross_entropy BinaryCrossentropy bce": (
        "binary_nll",
        "it takes scores, from before the sigmoid",
    ),
    "MultiLabelSoftMarginLoss SoftMarginLoss": ("binary_nll", "for scores and targets of 0 and 1"),
    "BinaryFocalCrossentropy": ("focal", "it takes scores, from before the sigmoid"),
    "CategoricalCrossentropy softmax_cross_entropy safe_softmax_cross_entropy": ("softmax_nll", ONE_HOT),
    "CategoricalFocalCrossentropy poly_loss_cross_entropy": ("softmax_nll", "without focus or polynomial"),
    "smooth_labels": ("softmax_nll", "with label_smoothing"),
    "AdaptiveLogSoftmaxWithLoss LinearCrossEntropyLoss linear_cross_entropy": (
        "softmax_nll",
        "of the scores of a linear layer",
    ),
    "ranking_softmax_loss ntxent": ("softmax_nll", "of the scores of each example's candidates"),
    "convex_kl_divergence kl_divergence_with_log_targets generalized_kl_divergence": (
        "kl_divergence",
        "for target probabilities: exp of log targets",
    ),
    "CosineSimilarity CosineEmbeddingLoss": ("cosine_distance", "it is 1 − the similarity"),
    "MarginRankingLoss HingeEmbeddingLoss Hinge hinge_loss CategoricalHinge": (
        "max_margin",
        "max(0, margin − s + s_corrupt) of two scores",
    ),
    "TripletMarginWithDistanceLoss Circle": ("max_margin", "of the two negated distances, from other layers"),
    "MultiMarginLoss MultiLabelMarginLoss multiclass_hinge_loss SquaredHinge perceptron_loss "
    "multiclass_perceptron_loss multiclass_sparsemax_loss sparsemax_loss make_fenchel_young_loss": (
        "relu",
        "relu of margins, from subtract and affine",
    ),
    "Poisson": ("poisson_nll", "with log_input false"),
    "Dice Tversky": ("divide", "compose it of multiply, sum and divide"),
    "CTCLoss CTC ctc_loss_with_forward_probs": ("softmax_nll", "there are no alignments: one label per step"),
    # Activations.
    "ReLU6 Hardtanh": (
        "clip",
        "from 0 to 6 or from −1 to 1, with at_bounds 0 for the same derivative at a bound",
    ),
    "sparse_sigmoid": ("clip", "of (x + 1) / 2, by affine, between 0 and 1"),
    "SELU": ("elu", "with alpha 1.6733, times 1.0507 by affine"),
    "CELU": ("elu", "alpha · elu(x / alpha), with affine"),
    "RReLU": ("leaky_relu", "with a fixed slope"),
    "LogSigmoid": ("softplus", "−softplus(−x), with negate"),
    "Softmin": ("softmax", "of the negated numbers"),
    "Softsign soft_sign": ("tanh", "or x / (1 + |x|), with abs, affine and divide"),
    "squareplus": ("softplus", "or (x + √(x² + b)) / 2, with power, affine and sqrt"),
    "sparse_plus": ("softplus", "which is smooth"),
    "Softshrink Hardshrink Tanhshrink Threshold threshold_": ("relu", "of shifted numbers, or x − tanh(x)"),
    "square": ("power", "with exponent 2"),
    "rsqrt": ("power", "with exponent −0.5"),
    "log1p log1mexp logaddexp": ("log", "of affine values; softplus is log(1 + eˣ)"),
    "logmeanexp": ("logsumexp", "minus the log of the count, by affine"),
    "gumbel_softmax": ("softmax", "of the sum with noise"),
    "Softmax2d": ("softmax", "over the last axis: transpose first"),
    "Activation": ("relu", "an activation is a layer of its own kind: relu, tanh, gelu, …"),
    # Normalizations and scalings.
    "BatchNorm1d BatchNorm2d BatchNorm3d LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d "
    "SyncBatchNorm BatchNormalization": (
        "batch_norm",
        "its statistics are data, as in eval mode",
    ),
    "InstanceNorm1d InstanceNorm2d InstanceNorm3d LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d": (
        "instance_norm",
        "which has w and b unless affine is false",
    ),
    "LocalResponseNorm CrossMapLRN2d": ("group_norm", "which normalizes groups of channels"),
    "normalize UnitNormalization standardize Normalization SpectralNormalization": (
        "layer_norm",
        "or divide by a norm from power, sum and sqrt",
    ),
    "Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout SpatialDropout1D "
    "SpatialDropout2D SpatialDropout3D GaussianDropout": (
        "multiply",
        'by an input of noise, as {"noise": {"dropout": 0.5}}; dropout_mask takes a mask of your own',
    ),
    "GaussianNoise": ("add", 'of an input of noise, as {"noise": {"normal": 0.1}}'),
    # Convolutions and poolings.
    "Conv3d LazyConv3d DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D conv_tbc": (
        "conv2d",
        "with groups for depthwise ones; three axes are not there",
    ),
    "ConvTranspose3d LazyConvTranspose3d Conv3DTranspose": ("conv_transpose2d", "three axes are not there"),
    "MaxPool3d MaxPooling3D FractionalMaxPool2d FractionalMaxPool3d max_pool3d_with_indices "
    "fractional_max_pool2d_with_indices fractional_max_pool3d_with_indices": ("max_pool2d", NOT_3D),
    "AvgPool3d AveragePooling3D LPPool1d LPPool2d LPPool3d": ("avg_pool2d", NOT_3D),
    "AdaptiveAvgPool3d AdaptiveAveragePooling3D": ("adaptive_avg_pool2d", NOT_3D),
    "GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D": (
        "mean",
        "over the axes of the image",
    ),
    "AdaptiveMaxPool3d AdaptiveMaxPooling3D adaptive_max_pool3d_with_indices": (
        "adaptive_max_pool2d",
        NOT_3D,
    ),
    "GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D amax": ("max", "along one axis at a time"),
    "UpsamplingNearest2d interpolate upsample_nearest UpSampling1D UpSampling2D UpSampling3D Resizing": (
        "upsample",
        "to a size, nearest or linear",
    ),
    "UpsamplingBilinear2d upsample_bilinear": ("upsample", "with mode linear and align_corners true"),
    "MaxUnpool1d MaxUnpool2d MaxUnpool3d grid_sample affine_grid": (
        "linear",
        "a fixed linear map is matmul with data",
    ),
    "Fold Unfold PixelUnshuffle ChannelShuffle native_channel_shuffle": (
        "reshape",
        "with transpose, where windows do not overlap",
    ),
    "ReflectionPad1d ReflectionPad2d ReflectionPad3d": ("pad", "with mode reflect"),
    "ReplicationPad1d ReplicationPad2d ReplicationPad3d": ("pad", "with mode replicate"),
    "CircularPad1d CircularPad2d CircularPad3d": ("pad", "with mode circular"),
    "gather": ("take_along_axis", "as in torch; for numpy's take and ONNX's Gather, take"),
    "Cropping1D Cropping2D Cropping3D CenterCrop": ("slice", "along one axis at a time"),
    # Sequences and attention.
    "RNNCell SimpleRNNCell StackedRNNCells RNNCellBase": ("elman", CELL),
    "LSTMCell ConvLSTM1D ConvLSTM2D ConvLSTM3D": ("lstm", CELL),
    "GRUCell": ("gru", CELL),
    "Bidirectional BiLSTM BidirectionalLSTM": (
        "lstm",
        "concat the values of two, one of them with reverse, which reads padding first",
    ),
    "BiGRU BidirectionalGRU": ("gru", "in two directions, as for a bidirectional lstm"),
    "TimeDistributed": ("linear", "which works on the last axis, so on every step"),
    "Transformer TransformerEncoder TransformerEncoderLayer TransformerDecoder TransformerDecoderLayer": (
        "multi_head_attention",
        "with linear, add and layer_norm; from_torch builds an encoder from torch's",
    ),
    "AdditiveAttention GroupQueryAttention GroupedQueryAttention": ("attention", "of scaled products"),
    "EmbeddingBag": ("embedding", "then sum or mean over the axis of the indices"),
    "ReversibleEmbedding": ("embedding", "and a linear node tied to it by tied_to"),
    "one_hot CategoryEncoding Hashing HashedCrossing IntegerLookup StringLookup TextVectorization "
    "Discretization": ("embedding", "which takes integers; encode the data before they are sent"),
    # Products, combinations and shapes.
    "Bilinear": ("einsum", "of both inputs and a learned input"),
    "EinsumDense": ("matmul", "with linear, reshape and transpose"),
    "grouped_mm scaled_mm scaled_grouped_mm scaled_matmul scaled_dot_general get_scaled_dot_general_config": (
        "matmul",
        "in float32 or float64",
    ),
    "PairwiseDistance pdist cdist": ("norm", "of the difference"),
    "Average": ("add", "then affine with the factor 1 / n"),
    "RepeatVector": ("expand", "of an axis of size 1"),
    "repeat tile": ("concat", "of the same input several times"),
    "stack": ("concat", "of inputs with a new axis from reshape"),
    "squeeze unsqueeze expand_dims": ("reshape", "to the new shape"),
    "split chunk narrow": ("slice", "one node for each part"),
}
"""By names that have no counterpart, the kind that comes closest, and how to use it."""

NO_LAYER: Mapping[str, str] = {
    "Sequential ModuleList ModuleDict ParameterList ParameterDict Module Container DataParallel Pipeline "
    "Wrapper Lambda TorchModuleWrapper FlaxLayer JaxLayer TFSMLayer Layer": (
        "a network is a list of nodes, which name their inputs"
    ),
    "Masking pack_padded_sequence pad_packed_sequence pack_sequence pad_sequence PackedSequence": (
        f"pad sequences to one length, and pick what is real by data, as {PADDING_GUIDE} shows"
    ),
    "tan sinh cosh asin acos atan arcsin arccos arctan atan2 arctan2 erfc sign floor ceil round argmax "
    "argmin sort argsort topk cumprod": (
        "no layer computes it: compute it in the data, or write a layer, as docs/write-a-layer.md shows"
    ),
    "Input InputLayer InputSpec": "an input stands in the network's inputs, not among its nodes",
    "ActivityRegularization": "regularization stands beside the loss; weight a loss for values",
    "AutoContrast AugMix CutMix MixUp Equalization Solarization RandAugment RandomBrightness "
    "RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop RandomElasticTransform "
    "RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHeight RandomHue RandomInvert "
    "RandomPerspective RandomPosterization RandomRotation RandomSaturation RandomSharpness RandomShear "
    "RandomTranslation RandomWidth RandomZoom MaxNumBoundingBoxes MelSpectrogram STFTSpectrogram": (
        "change the data before they are sent"
    ),
    "initializers": "the init_scale of a layer scales the first numbers of its parameters",
}
"""By names that are no layer here, what stands in their place."""


class Synonym(NamedTuple):
    """The kind that stands for a name of another library."""

    name: str
    """As the library has it."""
    kind: str
    """Empty for what is no layer here."""
    note: str
    """How to use the kind; empty where it is the same function."""


def normalized(name: str) -> str:
    """Return a name without its module, case, underscores and the ending `loss`."""
    plain = re.sub(r"[\W_]", "", name.lower().rpartition(".")[2])
    return plain.removesuffix("loss") or plain


def _synonyms() -> Iterator[Synonym]:
    for names, note in NO_LAYER.items():
        yield from (Synonym(name, "", note) for name in names.split())
    for names, (kind, note) in CLOSEST.items():
        yield from (Synonym(name, kind, note) for name in names.split())
    for kind, names in EQUAL.items():
        yield from (Synonym(name, kind, "") for name in names.split())


SYNONYMS: tuple[Synonym, ...] = tuple(_synonyms())

_BY_NAME = {normalized(synonym.name): synonym for synonym in SYNONYMS}


def find_synonym(name: str, kinds: Iterable[str]) -> Synonym | None:
    """Return what stands for a name, if it is known and its kind is installed.

    Args:
        name: as another library has it.
        kinds: the installed kinds.
    """
    plain = normalized(name)
    own = {normalized(kind): kind for kind in kinds}
    if plain in own:
        return Synonym(name, own[plain], "")
    found = _BY_NAME.get(plain)
    return found if found and (not found.kind or normalized(found.kind) in own) else None
