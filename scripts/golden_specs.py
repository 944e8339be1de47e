"""Which small random models there are: their config.json, how they are stored, which features they show.

`config` is written to the folder. `reference` is the same configuration in the spelling that transformers 4.57
understands; the two differ only where config.json uses the newer `rope_parameters` alone. An ablation is a pair of
functions: one changes the reference configuration, one the loaded model.
"""

import copy

from torch import nn

VOCAB_SIZE = 280
HIDDEN = 40
WINDOW = 8
ORIGINAL_CONTEXT = 32


def keep(_):
    """Changes nothing."""


def sets(key, value):
    """Sets a key of the decoder's configuration."""
    return (lambda keys: keys.get("text_config", keys).update({key: value}), keep)


def decoder_layers(model):
    return (model.model.language_model if hasattr(model.model, "language_model") else model.model).layers


def without_modules(*paths):
    """Replaces modules of every layer by the identity."""

    def change(model):
        for layer in decoder_layers(model):
            for path in paths:
                parent, _, leaf = path.rpartition(".")
                setattr(layer.get_submodule(parent), leaf, nn.Identity())

    return (keep, change)


def without_biases(*names):
    """Sets the biases of the named projections to 0 in every layer."""

    def change(model):
        for layer in decoder_layers(model):
            for name, module in layer.named_modules():
                if name.rsplit(".", 1)[-1] in names:
                    module.bias.zero_()

    return (keep, change)


def plain_norms():
    """Scales by the norms' weight instead of 1 + weight."""

    def change(model):
        for name, parameter in model.named_parameters():
            if "norm" in name and "vision" not in name:
                parameter.sub_(1.0)

    return (keep, change)


def unscaled_embeddings():
    def change(model):
        model.get_input_embeddings().embed_scale.fill_(1.0)

    return (keep, change)


def one_kv_head():
    """Lets every query head read the first key and value head: what a wrong grouping comes to."""

    def change(model):
        for layer in decoder_layers(model):
            for module in (layer.self_attn.k_proj, layer.self_attn.v_proj):
                rows = layer.self_attn.head_dim
                module.weight.copy_(module.weight[:rows].repeat(module.weight.shape[0] // rows, 1))

    return (keep, change)


def base(model_type, architecture, **changes):
    keys = {
        "architectures": [architecture],
        "attention_dropout": 0.0,
        "bos_token_id": 0,
        "dtype": "float32",
        "eos_token_id": 2,
        "hidden_act": "silu",
        "hidden_size": HIDDEN,
        "initializer_range": 0.02,
        "intermediate_size": 64,
        "max_position_embeddings": 256,
        "model_type": model_type,
        "num_attention_heads": 4,
        "num_hidden_layers": 2,
        "num_key_value_heads": 2,
        "pad_token_id": 3,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "tie_word_embeddings": False,
        "torch_dtype": "float32",
        "use_cache": True,
        "vocab_size": VOCAB_SIZE,
    }
    return {key: value for key, value in (keys | changes).items() if value is not ...}


def spec(name, family, config, ablations, reference=None, **more):
    text = config.get("text_config", config)
    return {
        "name": name,
        "family": family,
        "config": config,
        "reference": reference or copy.deepcopy(config),
        "dtype": config.get("dtype") or text["dtype"],
        "ablations": {"grouped_query_attention": one_kv_head()} | ablations,
        **more,
    }


def llama_tied():
    config = base("llama", "LlamaForCausalLM", tie_word_embeddings=True, attention_bias=False, mlp_bias=False)
    return spec("llama-tied", "llama", config, {"rope_theta": sets("rope_theta", 500000.0)}, embed_scale=0.4)


def llama3():
    scaling = {
        "factor": 4.0,
        "high_freq_factor": 4.0,
        "low_freq_factor": 1.0,
        "original_max_position_embeddings": ORIGINAL_CONTEXT,
        "rope_type": "llama3",
    }
    config = base("llama", "LlamaForCausalLM", head_dim=16, rope_scaling=scaling, attention_bias=False, mlp_bias=False)
    return spec(
        "llama3", "llama", config, {"rope_scaling": sets("rope_scaling", None)},
        shards=3, original_context=ORIGINAL_CONTEXT,
    )  # fmt: skip


def llama_linear():
    config = base(
        "llama", "LlamaForCausalLM", attention_bias=True, mlp_bias=True, dtype=..., torch_dtype="float16",
        rope_scaling={"type": "linear", "factor": 4.0}, max_position_embeddings=128, head_dim=None, pad_token_id=None,
    )  # fmt: skip
    return spec(
        "llama-linear-f16", "llama", config | {"dtype": "float16"},
        {
            "rope_scaling": sets("rope_scaling", None),
            "qkv_bias": without_biases("q_proj", "k_proj", "v_proj"),
            "output_bias": without_biases("o_proj"),
            "mlp_bias": without_biases("gate_proj", "up_proj", "down_proj"),
        },
        original_context=ORIGINAL_CONTEXT,
    )  # fmt: skip


def mistral():
    config = base("mistral", "MistralForCausalLM", head_dim=16, sliding_window=WINDOW, rms_norm_eps=0.05)
    return spec(
        "mistral", "mistral", config,
        {"sliding_window": sets("sliding_window", None), "rms_norm_eps": sets("rms_norm_eps", 1e-6)},
    )  # fmt: skip


def qwen2():
    config = base(
        "qwen2", "Qwen2ForCausalLM", tie_word_embeddings=True, rope_theta=1000000.0, max_window_layers=1,
        sliding_window=WINDOW, use_sliding_window=False,
    )  # fmt: skip
    return spec(
        "qwen2", "qwen2", config,
        {
            "qkv_bias": without_biases("q_proj", "k_proj", "v_proj"),
            "ignored_window": sets("use_sliding_window", True),
        },
        embed_scale=0.4,
    )  # fmt: skip


def qwen2_yarn():
    yarn = {"factor": 4.0, "original_max_position_embeddings": ORIGINAL_CONTEXT, "rope_type": "yarn"}
    config = base(
        "qwen2", "Qwen2ForCausalLM", max_position_embeddings=128, rope_theta=..., torch_dtype=...,
        rope_parameters=yarn | {"rope_theta": 10000.0}, layer_types=["full_attention"] * 2, use_sliding_window=False,
    )  # fmt: skip
    reference = {key: value for key, value in config.items() if key != "rope_parameters"}
    reference |= {"rope_theta": 10000.0, "rope_scaling": yarn}
    return spec(
        "qwen2-yarn", "qwen2", config,
        {
            "rope_scaling": sets("rope_scaling", None),
            "attention_factor": sets("rope_scaling", yarn | {"attention_factor": 1.0}),
            "qkv_bias": without_biases("q_proj", "k_proj", "v_proj"),
        },
        reference=reference, original_context=ORIGINAL_CONTEXT,
    )  # fmt: skip


def qwen3():
    config = base(
        "qwen3", "Qwen3ForCausalLM", head_dim=16, tie_word_embeddings=True, attention_bias=False,
        num_hidden_layers=3, max_window_layers=1, sliding_window=WINDOW, use_sliding_window=True,
    )  # fmt: skip
    return spec(
        "qwen3", "qwen3", config,
        {
            "qk_norm": without_modules("self_attn.q_norm", "self_attn.k_norm"),
            "sliding_window": sets("use_sliding_window", False),
            "max_window_layers": sets("max_window_layers", 0),
        },
        embed_scale=0.4,
    )  # fmt: skip


def qwen3_bf16():
    config = base(
        "qwen3", "Qwen3ForCausalLM", head_dim=16, attention_bias=False, dtype="bfloat16", torch_dtype="bfloat16",
        rope_scaling=None, max_window_layers=2, sliding_window=None, use_sliding_window=False,
    )  # fmt: skip
    return spec(
        "qwen3-bf16", "qwen3", config,
        {"qk_norm": without_modules("self_attn.q_norm", "self_attn.k_norm")},
        shards=2,
    )  # fmt: skip


def gemma3_text(**changes):
    keys = base(
        "gemma3_text", "Gemma3ForCausalLM", hidden_act=..., hidden_activation="gelu_pytorch_tanh", head_dim=16,
        num_hidden_layers=3, query_pre_attn_scalar=24, sliding_window=WINDOW, rope_theta=100000.0,
        rope_local_base_freq=1000.0, rope_scaling={"factor": 8.0, "rope_type": "linear"}, attention_bias=False,
        tie_word_embeddings=True, attn_logit_softcapping=5.0, final_logit_softcapping=6.0,
    )  # fmt: skip
    return {key: value for key, value in (keys | changes).items() if value is not ...}


GEMMA_ABLATIONS = {
    "rope_scaling": sets("rope_scaling", None),
    "local_rope": sets("rope_local_base_freq", 100000.0),
    "sliding_window": sets("sliding_window", 4096),
    "qk_norm": without_modules("self_attn.q_norm", "self_attn.k_norm"),
    "final_logit_softcapping": sets("final_logit_softcapping", None),
    "attn_logit_softcapping": sets("attn_logit_softcapping", None),
    "query_pre_attn_scalar": sets("query_pre_attn_scalar", 16),
    "norm_offset": plain_norms(),
    "embedding_scale": unscaled_embeddings(),
    "post_norms": without_modules("post_attention_layernorm", "post_feedforward_layernorm"),
    "activation": sets("hidden_activation", "silu"),
}


def gemma3():
    config = gemma3_text(layer_types=["sliding_attention", "full_attention", "sliding_attention"])
    return spec(
        "gemma3", "gemma3", config, GEMMA_ABLATIONS,
        inert=["attn_logit_softcapping"], original_context=ORIGINAL_CONTEXT, embed_scale=0.25,
    )  # fmt: skip


def gemma3_wrapped():
    text = gemma3_text(
        architectures=..., dtype=..., torch_dtype=..., eos_token_id=..., bos_token_id=..., pad_token_id=...,
        attention_bias=..., tie_word_embeddings=..., sliding_window_pattern=2,
    )  # fmt: skip
    text["rope_parameters"] = {
        "full_attention": {"factor": 8.0, "rope_theta": 100000.0, "rope_type": "linear"},
        "sliding_attention": {"rope_theta": 1000.0, "rope_type": "default"},
    }
    config = {
        "architectures": ["Gemma3ForConditionalGeneration"],
        "boi_token_index": 276,
        "bos_token_id": 0,
        "dtype": "bfloat16",
        "eoi_token_index": 277,
        "eos_token_id": [2, 0],
        "image_token_index": 278,
        "initializer_range": 0.02,
        "mm_tokens_per_image": 4,
        "model_type": "gemma3",
        "pad_token_id": 3,
        "text_config": text,
        "tie_word_embeddings": True,
        "torch_dtype": "bfloat16",
        "vision_config": {
            "hidden_size": 8,
            "image_size": 28,
            "intermediate_size": 8,
            "model_type": "siglip_vision_model",
            "num_attention_heads": 2,
            "num_hidden_layers": 1,
            "patch_size": 14,
            "vision_use_head": False,
        },
    }
    return spec(
        "gemma3-wrapped", "gemma3", config, GEMMA_ABLATIONS,
        inert=["attn_logit_softcapping", "final_logit_softcapping"], original_context=ORIGINAL_CONTEXT,
        embed_scale=0.25,
    )  # fmt: skip


SPECS = [
    llama_tied(),
    llama3(),
    llama_linear(),
    mistral(),
    qwen2(),
    qwen2_yarn(),
    qwen3(),
    qwen3_bf16(),
    gemma3(),
    gemma3_wrapped(),
]
