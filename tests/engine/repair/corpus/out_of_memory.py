# ruff: noqa: E501
"""Programs that run out of a GPU's memory (a small `torch` stands in for the real one), and what no batch can mend."""

from tests.engine.repair.corpus.gpu import FILES, F, checked, kept, oom, told
from tests.engine.repair.corpus.gpu_items import LOOKALIKES as ITEMS_KEPT
from tests.engine.repair.corpus.gpu_items import PROGRAMS as ITEMS
from tests.engine.repair.corpus.program import program, spared

LOOP = (
    "import torch\n\n\ndef embed(items, model, batch_size=8):\n    found = []\n"
    "    for i in range(0, len(items), batch_size):\n        batch = items[i:i + batch_size]\n"
    "        found.extend(model(batch).tolist())\n    return found\n"
)
RUN = "import app, torch\n"
NO_TORCH = (
    "class Device:\n    most = 2\n\n    def __call__(self, batch):\n        if len(batch) > self.most:\n"
    "            raise RuntimeError('CUDA out of memory. Tried to allocate 2.00 GiB')\n        return [x * 2 for x in batch]\n"
)
CALL = "app.embed([1, 2, 3, 4, 5], torch.run)"
ALL = "[2, 4, 6, 8, 10]"


def _words(message, kind="RuntimeError", cache="cuda"):
    begin = f"import torch\ntorch.words, torch.kind = {message!r}, {kind}\n"
    return begin + checked(CALL, ALL, f"assert set(torch.cleared) == {{'{cache}'}}\n")


PROGRAMS = [
    *ITEMS,
    program(
        "another library than torch says it",
        "import gpu\n\n\ndef embed(items, size=8):\n    model = gpu.Device()\n    found = []\n"
        "    for i in range(0, len(items), size):\n        found.extend(model(items[i:i + size]))\n    return found\n",
        "import app, sys\nassert app.embed([1, 2, 3, 4, 5]) == [2, 4, 6, 8, 10]\nassert 'torch' not in sys.modules\n",
        files={"gpu.py": NO_TORCH},
        operator="shrink-batch",
    ),
    program(
        "another library than torch says it, of whole batches",
        "import gpu\n\n\ndef score(batches):\n    model = gpu.Device()\n    found = []\n"
        "    for batch in batches:\n        found += model(batch)\n    return found\n",
        "import app, sys\nassert app.score([[1, 2, 3], [4]]) == [2, 4, 6, 8]\nassert 'torch' not in sys.modules\n",
        files={"gpu.py": NO_TORCH},
    ),
    oom("a loop over places", LOOP, checked(CALL, ALL), operator="shrink-batch"),
    oom("as CUDA says it", LOOP, _words("CUDA error: out of memory\nCUDA kernel errors might be reported later")),
    oom("as cuDNN says it", LOOP, _words("cuDNN error: CUDNN_STATUS_ALLOC_FAILED")),
    oom(
        "as cuBLAS says it", LOOP, _words("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")
    ),
    oom("as MPS says it", LOOP, _words("MPS backend out of memory (MPS allocated: 8.00 GB)", cache="mps")),
    oom("as old torch says it", LOOP, _words("cuda runtime error (2) : out of memory at THCStorage.cu:58")),
    oom(
        "a size written out",
        LOOP.replace(", batch_size=8", "").replace("batch_size", "16"),
        checked(CALL, ALL),
        operator="shrink-batch",
    ),
    oom(
        "a size of the class",
        "import torch\n\n\nclass Encoder:\n    def __init__(self, size):\n        self.size = size\n\n    def run(self, items):\n        out = []\n"
        "        for start in range(0, len(items), self.size):\n            chunk = torch.tensor(items[start:start + self.size])\n"
        "            with torch.no_grad():\n                vectors = torch.run(chunk)\n            out.append(vectors)\n        return torch.cat(out).tolist()\n",
        checked("app.Encoder(4).run([1, 2, 3])", "[2, 4, 6]"),
    ),
    oom(
        "a constant size",
        "import torch\n\nBATCH = 8\n\n\ndef embed(items, model):\n    out = []\n    for i in range(0, len(items), BATCH):\n"
        "        # a batch at a time\n        out += model(items[i:i + BATCH]).tolist()  # kept\n    return out\n",
        checked(CALL, ALL),
    ),
    oom(
        "filled by place",
        "import torch\n\n\ndef embed(items, model, size=4):\n    out = [None] * len(items)\n    for i in range(0, len(items), size):\n"
        "        batch = items[i:i + size]\n        result = model(batch)\n        out[i:i + size] = result.tolist()\n    return out\n",
        checked(CALL, ALL),
    ),
    oom(
        "a call that takes the size of its batches",
        "import torch\n\n\ndef embed(model, items):\n    vectors = model.encode(items, batch_size=8)\n    return vectors\n",
        "import app, torch\nclass Model:\n    def encode(self, items, batch_size):\n        return sum((torch.run(items[at:at + batch_size]).tolist() for at in range(0, len(items), batch_size)), [])\n"
        "assert app.embed(Model(), [1, 2, 3]) == [2, 4, 6]\nassert torch.cleared and max(torch.sizes[-2:]) == 2\n",
        operator="shrink-argument",
    ),
    oom(
        "a loader",
        "import torch\n\n\ndef embed(loader, model):\n    found = []\n    for batch in loader:\n        out = model(batch.to('cuda'))\n"
        "        found.extend(out.cpu().tolist())\n    return found\n",
        checked("app.embed([torch.tensor([1, 2, 3]), torch.tensor([4])], torch.run)", "[2, 4, 6, 8]"),
        operator="split-batch",
    ),
    oom(
        "a loader of pairs",
        "import torch\n\n\ndef score(loader, model):\n    right = 0\n    with torch.no_grad():\n        for images, labels in loader:\n"
        "            images = images.to('cuda')\n            outputs = model(images)\n"
        "            right += sum(a == b for a, b in zip(outputs.items, labels))\n    return right\n",
        checked("app.score([(torch.tensor([1, 2, 3]), [2, 4, 7])], torch.run)", "2"),
    ),
    oom(
        "one call",
        "import torch\n\n\ndef predict(model, batch):\n    return model(batch).tolist()\n",
        checked("app.predict(torch.run, torch.tensor([1, 2, 3]))", "[2, 4, 6]"),
        operator="split-batch",
    ),
    oom(
        "one call, method, keyword",
        "import torch\n\n\nclass Service:\n    def __init__(self, model):\n        self.model = model\n\n    def predict(self, images):\n"
        "        out = self.model(torch.tensor(images).to('cuda'))\n        return out.tolist()\n",
        checked("app.Service(torch.run).predict([1, 2, 3])", "[2, 4, 6]"),
    ),
    oom(
        "two inputs",
        "import torch\n\n\ndef both(a, b):\n    return torch.cat([torch.run(a), torch.run(b)])\n\n\ndef predict(model, images, masks):\n    return model(images, masks).items\n",
        "import app, torch\nf = lambda a, b: [torch.run(a), torch.run(b)][0]\n"
        + checked("app.predict(f, [1, 2, 3], [1, 1, 1])", "[2, 4, 6]"),
    ),
    oom(
        "by names",
        "import torch\n\n\ndef predict(model, inputs):\n    return model(**inputs).tolist()\n",
        "import app, torch\nf = lambda ids: torch.run(ids)\n"
        + checked("app.predict(f, {'ids': [1, 2, 3]})", "[2, 4, 6]"),
    ),
    oom(
        "texts to an encoder",
        "import torch\n\n\nclass E:\n    def encode(self, texts, normalize=False):\n        return torch.run(texts).tolist()\n\n\n"
        "def vectors(encoder, texts):\n    return encoder.encode(texts, normalize=True)\n",
        checked("app.vectors(app.E(), [1, 2, 3])", "[2, 4, 6]"),
    ),
    oom(
        "a training loop",
        "import torch\n\n\ndef train(model, loader, criterion, optimizer):\n    seen = []\n    for images, labels in loader:\n        optimizer.zero_grad()\n"
        "        outputs = model(images)\n        loss = criterion(outputs, labels)\n        loss.backward()\n        optimizer.step()\n        seen.append(len(images))\n    return sum(seen)\n",
        "import app, torch\nclass O:\n    def zero_grad(self): pass\n    def step(self): pass\n"
        + checked("app.train(torch.run, [([1, 2, 3, 4, 5], [0, 0, 0, 0, 0])], lambda a, b: torch.Loss(), O())", "5"),
        operator="split-step",
    ),
    oom(
        "a numbered training loop of dicts",
        "import torch\n\n\ndef train(model, loader, optimizer):\n    done = 0\n    for step, batch in enumerate(loader):\n        loss = model(batch['x'])\n"
        "        loss.backward()\n        optimizer.step()\n        done += len(batch['x'])\n    return done\n",
        "import app, torch\nclass O:\n    def step(self): pass\ndef model(x):\n    torch.run(x)\n    return torch.Loss()\n"
        + checked("app.train(model, [{'x': [1, 2, 3, 4]}], O())", "4"),
    ),
    oom(
        "a model of the project",
        "import torch\n\n\nclass Net:\n    def __call__(self, x):\n        return self.forward(x)\n\n    def forward(self, x):\n        return torch.run(x)\n\n\n"
        "def embed(items, net, size=4):\n    out = []\n    for at in range(0, len(items), size):\n        out.extend(net(items[at:at + size]).tolist())\n    return out\n",
        checked("app.embed([1, 2, 3], app.Net())", "[2, 4, 6]"),
    ),
    oom(
        "at the top of a script",
        "import torch\n\nitems = list(range(5))\nsize = 4\nout = []\nfor i in range(0, len(items), size):\n    out += torch.run(items[i:i + size]).tolist()\n",
        "import app, torch\nassert app.out == [0, 2, 4, 6, 8]\nassert torch.cleared",
    ),
    oom("as cuDNN says it too", LOOP, _words("Unable to find a valid cuDNN algorithm to run convolution")),
    oom("as MPS says it of a buffer", LOOP, _words("Invalid buffer size: 12.50 GB", cache="cuda")),
    oom(
        "a batch that is an attribute, moved to a device",
        "import torch\n\nDEVICE = 'cuda'\n\n\ndef run(model, loader):\n    found = []\n    for data in loader:\n        found += model(data.image.to(DEVICE)).tolist()\n    return found\n",
        "import types\nimport app, torch\nD = [types.SimpleNamespace(image=torch.tensor([1, 2, 3]))]\n"
        + checked("app.run(torch.run, D)", "[2, 4, 6]"),
    ),
    oom(
        "a keyword of the same name, and one that is the size",
        "import torch\n\n\ndef pipe(images, batch_size=8):\n    return torch.run(images).tolist()\n\n\ndef run(images, batch_size=8):\n    return pipe(images=images, batch_size=batch_size)\n",
        checked("app.run([1, 2, 3])", "[2, 4, 6]"),
    ),
    oom(
        "results with names",
        "import collections\n\nimport torch\n\nResult = collections.namedtuple('Result', 'scores sizes')\n\n\ndef model(batch):\n    return Result(torch.run(batch).tolist(), [len(batch)] * len(batch))\n\n\ndef run(batch):\n    return model(batch).scores\n",
        checked("app.run([1, 2, 3])", "[2, 4, 6]"),
    ),
    oom(
        "vectors of numpy",
        "import numpy as np\nimport torch\n\n\ndef encode(texts):\n    return np.array(torch.run(texts).tolist())\n\n\ndef vectors(texts):\n    return encode(texts).tolist()\n",
        checked("app.vectors([1, 2, 3])", "[2, 4, 6]"),
    ),
    oom(
        "a loop over batches that is called forward",
        "import torch\n\n\nclass Service:\n    def __init__(self, model):\n        self.model = model\n\n    def forward(self, batched):\n        found = []\n"
        "        for number, batch in enumerate(batched):\n            found += self.model(batch).tolist()\n        return found\n",
        checked("app.Service(torch.run).forward([[1, 2, 3], [4]])", "[2, 4, 6, 8]"),
        operator="split-batch",
    ),
    oom(
        "a trainer",
        "import torch\nfrom transformers import Trainer, TrainingArguments\n\n\ndef tune(model, items):\n    args = TrainingArguments(per_device_train_batch_size=8)\n    trainer = Trainer(model=model, args=args, train_dataset=items)\n"
        "    # all of it\n    trainer.train()\n    return args\n",
        "import app, torch\nargs = app.tune(torch.run, [1, 2, 3, 4, 5, 6, 7, 8])\n"
        "assert (args.per_device_train_batch_size, args.gradient_accumulation_steps) == (2, 4), vars(args)\nassert torch.cleared\n"
        "torch.most = 0\ntry:\n    app.tune(torch.run, [1])\nexcept RuntimeError as error:\n    assert 'batch of 1' in str(error)\nelse:\n    raise SystemExit('one fits')\n",
        log='Traceback (most recent call last):\n  File "{root}/app.py", line 9, in tune\n    trainer.train()\ntorch.OutOfMemoryError: CUDA out of memory.\n',
        operator="smaller-trainer-batch",
    ),
    oom(
        "another error passes",
        LOOP,
        "import app, torch\ntry:\n    app.embed(['bad', 'x', 'y'], torch.run)\nexcept torch.OutOfMemoryError:\n    raise\nexcept RuntimeError as error:\n"
        "    assert str(error) == 'bad input'\n    assert torch.sizes[-1] <= 2\n",
    ),
    oom(
        "tiles in two loops",
        "def upscale(picture, model, tile=4):\n    out = [[0] * len(picture[0]) for _row in picture]\n    for y in range(0, len(picture), tile):\n        for x in range(0, len(picture[0]), tile):\n            patch = [row[x : x + tile] for row in picture[y : y + tile]]\n            done = model(patch)\n            for row, line in enumerate(done):\n                out[y + row][x : x + tile] = line\n    return out\n",
        "import app, torch\n\n\ndef model(patch):\n    torch.run([one for row in patch for one in row])\n    return [[one * 2 for one in row] for row in patch]\n\n\nassert app.upscale([[1, 2, 3], [4, 5, 6], [7, 8, 9]], model) == [[2, 4, 6], [8, 10, 12], [14, 16, 18]]\n",
        operator="smaller-tiles",
    ),
    oom(
        "the loop is in the caller of the step",
        "import torch\n\n\ndef step(batch, optimizer):\n    optimizer.zero_grad()\n    torch.run(batch)\n    loss = torch.Loss()\n    loss.backward()\n    optimizer.step()\n    return loss.item()\n\n\ndef epoch(loader, optimizer):\n    total = 0\n    for batch in loader:\n        total += step(batch, optimizer)\n    return total\n",
        "import app, torch\nfrom unittest.mock import Mock\n\nassert app.epoch([[1], [1, 2, 3], [2]], Mock()) == 2.0\nassert torch.cleared\n",
        operator="skip-batch",
    ),
]


ONE_CALL = "def f(model, batch):\n    return model(batch)\n"
LOOKALIKES = [
    *ITEMS_KEPT,
    kept(
        "handled by type",
        F
        + "def f(model, batch):\n    try:\n        return model(batch)\n    except torch.cuda.OutOfMemoryError:\n        raise\n\n\nf(torch.run, [1, 2])\n",
    ),
    kept(
        "handled by words",
        F
        + "def f(model, batch):\n    try:\n        return model(batch)\n    except RuntimeError as error:\n        if 'out of memory' in str(error):\n            print('smaller, please')\n        raise\n\n\nf(torch.run, [1, 2])\n",
    ),
    kept(
        "measured on purpose",
        F
        + "def f(model, batch):\n    # on purpose: the largest batch is looked for\n    return model(batch)\n\n\nf(torch.run, [1, 2])\n",
    ),
    kept(
        "a benchmark",
        F
        + 'def f(model, batch):\n    """A benchmark of memory."""\n    return model(batch)\n\n\nf(torch.run, [1, 2])\n',
    ),
    kept(
        "a single image",
        F
        + "class T(torch.Tensor):\n    def unsqueeze(self, at):\n        return self\n\n\ndef f(model, image):\n    return model(image.unsqueeze(0))\n\n\nf(torch.run, T([1, 2]))\n",
    ),
    kept(
        "a single image, bound",
        F
        + "class T(torch.Tensor):\n    def unsqueeze(self, at):\n        return self\n\n\ndef f(model, image):\n    x = image.unsqueeze(0)\n    return model(x)\n\n\nf(torch.run, T([1, 2]))\n",
    ),
    kept("raised by the project", F + "def f():\n    raise torch.OutOfMemoryError('CUDA out of memory')\n\n\nf()\n"),
    kept(
        "one text after another",
        F + "def f(model, texts):\n    return [model(text) for text in texts]\n\n\nf(torch.run, ['ab', 'cd'])\n",
    ),
    kept(
        "one picture after another",
        F + "def f(model, images):\n    for image in images:\n        model(image)\n\n\nf(torch.run, [[1, 2], [3]])\n",
    ),
    kept(
        "a picture that was loaded",
        F
        + "def load_image(path):\n    return [1, 2]\n\n\ndef f(model, path, config=None):\n    image = load_image(path)\n    model(image)\n\n\nf(torch.run, 'a.jpg')\n",
    ),
    kept(
        "all pairs",
        F
        + "def pairwise_iou(boxes, anchors):\n    return torch.run(boxes + anchors)\n\n\ndef f(boxes, anchors):\n    return pairwise_iou(boxes, anchors)\n\n\nf([1], [2, 3])\n",
    ),
    kept(
        "a mean over the batch",
        F
        + "def f(criterion, outputs, labels):\n    loss = criterion(outputs, labels)\n    return loss\n\n\nf(lambda a, b: torch.run(a), [1, 2], [0, 0])\n",
    ),
    kept(
        "a request's form",
        F
        + "def f(plugins, name, rgb_np_img, files, form):\n    return plugins[name](rgb_np_img, files, form)\n\n\nf({'a': lambda a, b, c: torch.run(a)}, 'a', [1, 2], {}, {})\n",
    ),
    kept(
        "its caller sees to it",
        F
        + "def embed(model, batch):\n    return model(batch)\n\n\ndef f(model, batch):\n    try:\n        return embed(model, batch)\n    except torch.OutOfMemoryError:\n        raise\n\n\nf(torch.run, [1, 2])\n",
    ),
    told(
        "a model that does not fit",
        "import torch\n\n\ndef f(net):\n    return net.to('cuda')\n",
        5,
        "return net.to('cuda')",
    ),
    told(
        "weights that do not fit",
        "import torch\n\n\ndef f(net, path):\n    net.load_state_dict(torch.load(path))\n",
        5,
        "net.load_state_dict(torch.load(path))",
    ),
    told(
        "a pretrained model",
        "from transformers import AutoModel\n\n\ndef f(name):\n    return AutoModel.from_pretrained(name).cuda()\n",
        5,
        "return AutoModel.from_pretrained(name).cuda()",
    ),
    told(
        "one large tensor",
        "import torch\n\n\ndef f(n):\n    return torch.zeros(n, n, device='cuda')\n",
        5,
        "return torch.zeros(n, n, device='cuda')",
    ),
    told("the machine's memory", ONE_CALL, 2, "return model(batch)", "MemoryError"),
    told(
        "the machine's memory, in torch",
        ONE_CALL,
        2,
        "return model(batch)",
        "RuntimeError: [enforce fail at alloc_cpu.cpp:75] . DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes.",
    ),
    told(
        "numpy's memory",
        ONE_CALL,
        2,
        "return model(batch)",
        "numpy.core._exceptions._ArrayMemoryError: Unable to allocate 8.00 GiB for an array",
    ),
    told("no device", ONE_CALL, 2, "return model(batch)", "RuntimeError: No CUDA GPUs are available"),
    told(
        "a wrong shape",
        ONE_CALL,
        2,
        "return model(batch)",
        "RuntimeError: mat1 and mat2 shapes cannot be multiplied (4x3 and 5x2)",
    ),
    told(
        "a device-side assertion",
        ONE_CALL,
        2,
        "return model(batch)",
        "RuntimeError: CUDA error: device-side assert triggered",
    ),
    told(
        "an illegal access",
        ONE_CALL,
        2,
        "return model(batch)",
        "RuntimeError: CUDA error: an illegal memory access was encountered",
    ),
    told(
        "cuDNN is missing",
        ONE_CALL,
        2,
        "return model(batch)",
        "RuntimeError: cuDNN error: CUDNN_STATUS_NOT_INITIALIZED",
    ),
    told(
        "two devices",
        ONE_CALL,
        2,
        "return model(batch)",
        "RuntimeError: Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!",
    ),
    told("the disk is full", ONE_CALL, 2, "return model(batch)", "OSError: [Errno 28] No space left on device"),
    told("threads", ONE_CALL, 2, "return model(batch)", "RuntimeError: can't start new thread"),
    told(
        "the words in another error", ONE_CALL, 2, "return model(batch)", "ValueError: the shop ran out of memory cards"
    ),
    told("a database's memory", ONE_CALL, 2, "return model(batch)", "sqlite3.OperationalError: out of memory"),
    told(
        "a training step alone",
        "def f(model, x, y, loss):\n    out = model(x)\n    loss(out, y).backward()\n",
        2,
        "out = model(x)",
    ),
    told(
        "handled around",
        "import torch\n\n\ndef f(model, batch):\n    while True:\n        try:\n            return model(batch)\n        except torch.OutOfMemoryError:\n            batch = batch[: len(batch) // 2]\n",
        7,
        "return model(batch)",
    ),
    told(
        "a library finds the size",
        "from accelerate.utils import find_executable_batch_size\n\n\n@find_executable_batch_size(starting_batch_size=8)\ndef f(batch_size, model, batch):\n    return model(batch)\n",
        6,
        "return model(batch)",
    ),
    told("gone since", "def f(model, batch):\n    return batch\n", 2, "return model(batch)"),
    told("an assertion", "def f(model, batch):\n    assert model(batch)\n", 2, "assert model(batch)"),
    told("nothing is computed", "import torch\n\n\ndef f(x):\n    x = x.cuda()\n    return x\n", 5, "x = x.cuda()"),
    told(
        "a step that would be done twice",
        "def f(model, loader, log):\n    for x, y in loader:\n        log.append(x)\n        loss = model(x)\n        loss.backward()\n",
        4,
        "loss = model(x)",
    ),
    spared(
        "the test's own",
        "import torch\n",
        run="import torch, test_x",
        files={
            **FILES,
            "test_x.py": "import torch\n\n\ndef helper(batch):\n    return torch.run(batch)\n\n\nhelper([1, 2, 3])\n",
        },
    ),
]
