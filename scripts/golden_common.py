"""What the golden scripts share: float32 reference logits, greedy texts with a clear lead, and how both are written."""

import base64
import json

import torch
import transformers
from transformers import AutoModelForCausalLM, GenerationConfig

NEW_TOKENS = 50
# A greedy step counts as clear when the best token leads by this and by 2.5 times the tolerance on logits, so that
# logits within the tolerance (1e-4 of max |logit|, so twice that between two tokens) cannot change the text.
MIN_LEAD = 1e-3
TOLERANCE = 1e-4


def load(folder, config=None):
    """The folder's weights in float32 with eager attention, under its own configuration or another."""
    model, info = AutoModelForCausalLM.from_pretrained(
        folder,
        config=config,
        dtype=torch.float32,
        attn_implementation="eager",
        output_loading_info=True,
    )
    wrong = {kind: names for kind, names in info.items() if names}
    if wrong:
        raise SystemExit(f"{folder}: the weights do not fit the configuration: {wrong}")
    model.generation_config = GenerationConfig()  # the folder's own would sample and stop
    return model.eval()


@torch.no_grad()
def logits_of(model, ids):
    """The logits of every position, [len(ids), vocabulary], from one pass without a cache."""
    return model(torch.tensor([ids]), use_cache=False).logits[0].float()


@torch.no_grad()
def clear_greedy(model, ids, avoid, min_distinct=1):
    """50 greedy tokens with the cache and their smallest lead, or None where a step is too close to call.

    Also None where the text has a token of `avoid` (those that end a text: whoever stops there and whoever does not
    must come to the same 50 tokens) or fewer than `min_distinct` different tokens.
    """
    output = model(torch.tensor([ids]), use_cache=True)
    tokens, smallest = [], float("inf")
    while True:
        last = output.logits[0, -1].float()
        best, second = last.topk(2).values.tolist()
        token = int(last.argmax())
        if best - second <= max(MIN_LEAD, 2.5 * TOLERANCE * last.abs().max().item()) or token in avoid:
            return None
        tokens.append(token)
        smallest = min(smallest, best - second)
        if len(tokens) == NEW_TOKENS:
            return (tokens, smallest) if len(set(tokens)) >= min_distinct else None
        output = model(torch.tensor([[token]]), past_key_values=output.past_key_values, use_cache=True)


def golden(made_by, tokenizer, chosen, logits, all_positions, stride=1):
    """The golden file's content. `chosen` holds (ids, greedy tokens, lead, further fields) for each prompt.

    With a stride only every so-many-th logit of the vocabulary is kept, so that a large vocabulary makes a small file.
    """
    rows = []
    for (ids, tokens, lead, more), values in zip(chosen, logits, strict=True):
        rows.append(
            more
            | {
                "ids": ids,
                "max_abs_logit": float(values[-1].abs().max()),
                "greedy": tokens,
                "greedy_text": tokenizer.decode(tokens, clean_up_tokenization_spaces=False),
                "greedy_min_lead": digits(lead),
                "greedy_logprob": float(values[-1].double().log_softmax(-1)[tokens[0]]),
                "last_logits": encode(values[-1, ::stride]),
            }
        )
    return {
        "made_by": made_by,
        "torch": torch.__version__.split("+")[0],
        "transformers": transformers.__version__,
        "compute": "float32, CPU, eager attention",
        "logits_encoding": "base64 of little-endian float32",
        "vocab_size": logits[0].shape[-1],
        "logits_stride": stride,
        "prompts": rows,
        "all_positions": {
            "prompt": all_positions,
            "max_abs_logits": [float(row.abs().max()) for row in logits[all_positions]],
            "logprobs": logprobs(logits[all_positions], chosen[all_positions][0]),
            "logits": encode(logits[all_positions][:, ::stride]),
        },
    }


def logprobs(logits, ids):
    """The log-probability of each token after the first, given those before it."""
    log_softmax = logits[:-1].double().log_softmax(-1)
    return [float(row[token]) for row, token in zip(log_softmax, ids[1:], strict=True)]


def write_golden(path, content):
    """JSON with one line a prompt, so that a changed prompt is one changed line."""
    rows = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in content["prompts"])
    rest = json.dumps(content | {"prompts": "@"}, indent=1, ensure_ascii=False)
    path.write_text(rest.replace('"@"', f"[\n{rows}\n ]") + "\n")


def encode(tensor):
    """base64 of little-endian float32."""
    return base64.b64encode(tensor.contiguous().numpy().astype("<f4").tobytes()).decode()


def digits(value):
    """Four significant digits."""
    return float(f"{value:.4g}")
