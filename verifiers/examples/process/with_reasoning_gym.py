"""Judges by the scorers of the package `reasoning-gym` (pip install reasoning-gym).

The reference is {"dataset": NAME, "entry": ENTRY}: the name of one of its data sets, and the entry as that data set
made it. The answer is what stands in the response's last <answer>...</answer>.
"""
import functools
import json
import sys

import reasoning_gym


@functools.lru_cache(maxsize=None)
def scorer(dataset):
    return reasoning_gym.get_score_answer_fn(dataset)


def answer_in(response):
    """The text of the last <answer> that is closed, or None."""
    end = response.rfind("</answer>")
    start = response.rfind("<answer>", 0, max(end, 0))
    return None if start < 0 else response[start + len("<answer>") : end].strip()


def judge(reference, response):
    try:
        score_answer, entry = scorer(reference["dataset"]), reference["entry"]
    except Exception as error:
        return {"undecided": f"the reference needs a data set's name as `dataset` and its `entry`: {error!r}"}
    answer = answer_in(response)
    if answer is None:
        return {"score": 0.0, "kind": "no-answer", "reason": "no closed <answer>"}
    try:
        score = float(score_answer(answer=answer, entry=entry))
    except Exception as error:
        return {"undecided": f"the scorer of {reference['dataset']} fails: {error!r}"}
    return {"score": score, "reason": f"{reference['dataset']} scores it {score:g}", "extracted": answer}


# What the package prints belongs on standard error; standard output is for answers only.
answers, sys.stdout = sys.stdout, sys.stderr
for line in sys.stdin:
    request = json.loads(line)
    verdict = judge(request["reference"], request["response"])
    print(json.dumps({"id": request["id"], **verdict}), file=answers, flush=True)
