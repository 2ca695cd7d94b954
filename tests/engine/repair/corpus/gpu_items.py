# ruff: noqa: E501
"""Programs that run out of a GPU's memory over one item, where no batch is there to make smaller."""

from tests.engine.repair.corpus.gpu import F, kept, oom

PROGRAMS = [
    oom(
        "a page that does not fit is passed over",
        "import torch\n\n\ndef read(pages, model):\n    done = {}\n    for name, page in pages.items():\n        text = model(page)\n        done[name] = text.tolist()\n    return done\n",
        "import app, torch\nassert app.read({'a': [1], 'b': [1, 2, 3], 'c': [4]}, torch.run) == {'a': [2], 'c': [8]}\nassert torch.cleared\n"
        "try:\n    app.read({'a': ['bad']}, torch.run)\nexcept torch.OutOfMemoryError:\n    raise\nexcept RuntimeError as error:\n    assert str(error) == 'bad input'\n",
        operator="skip-item",
    ),
    oom(
        "a request that does not fit is answered with an error",
        "import torch\n\n\nclass Worker:\n    def complete(self, asked):\n        try:\n            return {'text': torch.run(asked).tolist()}\n        except torch.OutOfMemoryError:\n            return {'text': 'too much', 'code': 1}\n\n"
        "    def embed(self, asked):\n        ids = torch.tensor([asked]).to('cuda')\n        found = self.model(ids)\n        return {'text': found.tolist()}\n",
        "import app, torch\nworker = app.Worker()\nworker.model = lambda ids: torch.run(ids[0])\nassert worker.embed([1, 2]) == {'text': [2, 4]}\nassert worker.embed([1, 2, 3]) == {'text': 'too much', 'code': 1}\n",
        operator="answer-error",
    ),
]

LOOKALIKES = [
    kept(
        "results that go by their place",
        F
        + "def f(model, pages):\n    texts = []\n    for page in pages:\n        texts.append(model(page))\n    return texts\n\n\nf(torch.run, [[1], [2, 3]])\n",
    ),
    kept(
        "the same prompt by each model",
        F
        + "def f(models, prompt):\n    found = {}\n    for model in models:\n        found[model] = model([prompt])\n    return found\n\n\nf([torch.run], 'a')\n",
    ),
    kept(
        "a page that its caller tells of",
        F
        + "def f(model, pages):\n    for page in pages:\n        print(model(page))\n\n\ndef g(model, pages):\n    try:\n        f(model, pages)\n    except torch.OutOfMemoryError:\n        print('too large')\n        raise\n\n\ng(torch.run, [[1], [2]])\n",
    ),
]
