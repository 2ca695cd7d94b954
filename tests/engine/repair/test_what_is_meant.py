# ruff: noqa: E501
"""What the code around an error tells of what was meant: a handler beside it, the other conditions, the elements.

Told from text alone.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.repair.patterns.pattern import Proposal
from tests.engine.repair.test_next_needs import proposed

SHORT = "IndexError: list index out of range"
NO_LOWER = "AttributeError: 'NoneType' object has no attribute 'lower'"
MENDED = [
    (
        "def check(value, fields):\n    try:\n        value.format(**{k: '' for k in fields})\n    except (KeyError, IndexError) as e:\n        raise Invalid(value, f'bad placeholder {e}')\n    except ValueError as e:\n        raise Invalid(value, str(e))\n",
        3,
        "AttributeError: 'str' object has no attribute 'attr'",
        "except (KeyError, IndexError, AttributeError) as e:",
    ),
    (
        "def words(session, recording, events):\n    try:\n        info = audio_of(session, recording)\n        found = parsed(info.words)\n        found = [\n            {\n                **one,\n                'start': one['start'] + events[0].at,\n                'end': one['end'] + events[0].at,\n            }\n            for one in found\n        ]\n    except IndexError:\n        found = []\n    return send(found)\n",
        4,
        "AttributeError: 'NoneType' object has no attribute 'words'",
        "except (IndexError, AttributeError):",
    ),
    (
        "def client(request):\n    if 'kindle' in request.headers.get('User-Agent').lower():\n        return 'kindle'\n    elif 'kobo' in request.headers.get('User-Agent').lower():\n        return 'kobo'\n    return ''\n",
        2,
        NO_LOWER,
        "elif 'kobo' in (request.headers.get('User-Agent') or '').lower():",
    ),
    (
        "import signal\n\n\nclass H:\n    def __init__(self):\n        self.handlers = {\n            signal.SIGINT: self.stop,\n            signal.SIGHUP: self.reload,\n        }\n",
        8,
        "AttributeError: module 'signal' has no attribute 'SIGHUP'",
        '            **({signal.SIGHUP: self.reload} if hasattr(signal, "SIGHUP") else {}),\n',
    ),
    (
        "import signal\n\nfor one in (signal.SIGINT, signal.SIGHUP):\n    signal.signal(one, stop)\n",
        3,
        "AttributeError: module 'signal' has no attribute 'SIGHUP'",
        "for one in (signal.SIGINT, *([signal.SIGHUP] if hasattr(signal,",
    ),
    (
        "import os\nimport sys\n\n\nclass Ring:\n    app = os.path.basename(sys.argv[0]) or 'Python'\n",
        6,
        "AttributeError: module 'sys' has no attribute 'argv'",
        "os.path.basename(getattr(sys, 'argv', [''])[0]) or 'Python'",
    ),
    (
        "import re\n\n\ndef warn(user):\n    if user.ratio < 1 and not bool(\n            re.search(r'VIP', user.level, re.IGNORECASE)):\n        send(user)\n",
        6,
        "TypeError: expected string or bytes-like object, got 'NoneType'",
        "user.level is not None and bool(",
    ),
    (
        "def key(tasks, models):\n    return hash(tuple(sorted(tasks))), hash(tuple(models))\n",
        2,
        "TypeError: 'NoneType' object is not iterable",
        "sorted(tasks or ())",
    ),
    (
        "import numpy as np\n\n\ndef norms(A):\n    return np.ravel(A.power(2).sum(0))\n",
        5,
        "AttributeError: 'numpy.ndarray' object has no attribute 'power'",
        'np.ravel((A.power(2) if hasattr(A, "power") else np.power(A, 2)).sum(0))',
    ),
    (
        "class T:\n    def one(self):\n        spec = self.cache['spec'][0].to(self.device)\n        return self.model(spec)\n\n    def many(self):\n        spec = self.cache['spec'][0].to(self.device)\n        return [self.model(spec)]\n",
        3,
        "AttributeError: 'tuple' object has no attribute 'to'",
        "    def many(self):\n        found = self.cache['spec'][0]\n        if isinstance(found, tuple):\n            found = found[0]\n        spec = found.to(self.device)\n",
    ),
    (
        "def run(model, x):\n    out = model(x)\n    return out.argmax(dim=1)\n",
        3,
        "AttributeError: 'tuple' object has no attribute 'argmax'",
        "    if isinstance(out, tuple):\n        out = out[0]\n    return out.argmax(dim=1)\n",
    ),
    (
        "import json\n\n\ndef read(paths, out):\n    for path in paths:\n        record = json.loads(path.read_text())\n        record['name'] = path.stem\n        record = prepared(record)\n        if record:\n            out.append(record)\n",
        7,
        "TypeError: 'NoneType' object does not support item assignment",
        "        if record is None:\n            continue\n        record['name'] = path.stem\n",
    ),
    (
        "def decode(model, x, prompts=None):\n    position = x\n    for at in range(1500):\n        y = model(position)\n        position = model.embed(y) * model.scale + model.alpha * model.pe[:, prompts.shape[1] + at]\n    return y\n",
        5,
        "AttributeError: 'NoneType' object has no attribute 'shape'",
        "(prompts.shape[1] if prompts is not None else 0) + at]",
    ),
    (
        "def shown(data):\n    if data['kind'] == 'local':\n        uri = data['device']\n        used, total = usage(data['folder'])\n    else:\n        uri = 'http'\n        used, total = data['used'], data['total']\n    return {'uri': uri, 'name': data['name'], 'used': used, 'total': total}\n",
        4,
        "TypeError: 'NoneType' object is not iterable",
        "used, total = usage(data['folder']) or (0, 0)\n",
    ),
    (
        "class Bad:\n    def __init__(self, path):\n        self.items = {}\n        self.path = path\n        self.load()\n\n    def load(self):\n        try:\n            with self.path.open('r') as stream:\n                self.items = safe_load(stream)\n            log.debug('loaded %d', len(self.items))\n        except OSError:\n            log.debug('none')\n\n    def is_bad(self, one):\n        return one in self.items\n",
        11,
        "TypeError: object of type 'NoneType' has no len()",
        "self.items = safe_load(stream) or {}\n",
    ),
    (
        "def opened(vd, path, kind=None):\n    if path.scheme:\n        name = 'openurl_' + path.scheme\n        return vd.names()[name](path, kind=kind)\n    return vd.open(path)\n",
        4,
        "KeyError: 'openurl_abc'",
        "        if name not in found:\n            raise ValueError(f'not known: {name}')\n        return found[name](path, kind=kind)\n",
    ),
    (
        "words = {'en': {'a': 'A'}, 'de': {'a': 'Ä'}}\n\n\ndef chosen(settings):\n    usual, current = 'en', settings.get('locale')\n    out = {}\n    for one in words[usual]:\n        if one in words[current] and words[current][one] != '':\n            out[one] = words[current][one]\n        else:\n            out[one] = words[usual][one]\n    return out\n",
        8,
        "KeyError: 'fr'",
        "        if current in words and one in words[current] and",
    ),
    (
        "def shown(rows, page, size):\n    count = len(rows)\n    if size and rows:\n        rows = list(pages(rows, size))[page]\n    data = []\n    for row in rows:\n        data.append(row)\n    return count, data\n",
        4,
        SHORT,
        "rows = parts[page] if page < len(parts) else []\n",
    ),
    (
        "class P:\n    def __len__(self):\n        return self.total\n\n    def __getitem__(self, index):\n        more = True\n        while more and index > len(self.rows) - 1:\n            more = self.load()\n        return self.rows[index]\n",
        7,
        "TypeError: '>' not supported between instances of 'slice' and 'int'",
        "        if isinstance(index, slice):\n            return [self[at] for at in range(*index.indices(len(self)))]\n        more = True\n",
    ),
    (
        "class P:\n    def __getitem__(self, index):\n        more = True\n        while more and index > len(self.rows) - 1:\n            more = self.load()\n        return self.rows[index]\n",
        4,
        "TypeError: '>' not supported between instances of 'slice' and 'int'",
        'index if not isinstance(index, slice) else index.stop if index.stop is not None else float("inf")',
    ),
    (
        "def merged(track, info):\n    for key in info:\n        if isinstance(info[key], str):\n            track[key] = info[key]\n        else:\n            track[key] = info[key][::]\n",
        6,
        "TypeError: unhashable type: 'slice'",
        "track[key] = info[key][::] if not isinstance(info[key], dict) else dict(info[key])\n",
    ),
    (
        "import numpy as np\n\n\ndef starts(words, times):\n    places = np.pad(np.cumsum([len(one) for one in words]), (1, 0))\n    begun = times[places[:-1]]\n    ended = times[places[1:]]\n    return begun, ended\n",
        6,
        "IndexError: arrays used as indices must be of integer (or boolean) type",
        "(1, 0)).astype(int)\n",
    ),
    (
        "def top(rows):\n    return sorted(rows, key=lambda one: max(one['a'] or 0, one['b'] or 0))\n",
        2,
        "KeyError: 'a'",
        "max(one.get('a') or 0, one.get('b') or 0)",
    ),
    (
        "import yaml\n\n\ndef train():\n    config = load()\n    model = make(config['model'])\n    rate = config['optimizer']['lr']\n    run(model, rate * 2)\n\n\nif __name__ == '__main__':\n    train()\n",
        7,
        "KeyError: 'optimizer'",
        "sys.exit(",
    ),
    (
        "def encode(model, text):\n    return model.encode(text).cpu().numpy()\n",
        2,
        "AttributeError: 'tuple' object has no attribute 'cpu'",
        "    if isinstance(found, tuple):\n        found = found[0]\n    return found.cpu().numpy()\n",
    ),
    (
        "def hidden(model, x):\n    features = model.backbone(x)\n    n, c, h, w = features.shape\n    return features.view(n, c, h * w)\n",
        3,
        "AttributeError: 'tuple' object has no attribute 'shape'",
        "        features = features[0]\n    n, c, h, w = features.shape\n",
    ),
    (
        "import yaml\n\nclass Store:\n    def __init__(self, path):\n        self.path = path\n        self.data = {}\n\n    def reload(self):\n        with open(self.path) as f:\n            self.data = yaml.safe_load(f)\n        for key in self.data:\n            print(key)\n\n    def get(self, key):\n        return self.data[key]\n",
        11,
        "TypeError: 'NoneType' object is not iterable",
        "self.data = yaml.safe_load(f) or {}\n        for key in self.data:\n",
    ),
    (
        'import yaml\n\nclass Config:\n    def __init__(self, path):\n        with open(path) as f:\n            self.values = yaml.safe_load(f)\n        self.name = self.values.get("name", "x")\n        self.size = self.values.get("size", 1)\n',
        7,
        "AttributeError: 'NoneType' object has no attribute 'get'",
        "self.values = yaml.safe_load(f) or {}\n",
    ),
    (
        'def port(config):\n    try:\n        return int(config["server"]["port"])\n    except ValueError as e:\n        raise ConfigError("port is no number") from e\n',
        3,
        "KeyError: 'port'",
        "except (ValueError, KeyError) as e:",
    ),
    (
        'def load(path):\n    data = read(path)\n    try:\n        return Thing(data["a"], data["b"])\n    except TypeError:\n        raise FormatError(f"{path} is not a thing")\n',
        4,
        "KeyError: 'b'",
        "except (TypeError, KeyError):",
    ),
    (
        "import socket\n\ndef opts(sock):\n    for name, value in (\n        (socket.SO_KEEPALIVE, 1),\n        (socket.SO_REUSEPORT, 1),\n    ):\n        sock.setsockopt(socket.SOL_SOCKET, name, value)\n",
        6,
        "AttributeError: module 'socket' has no attribute 'SO_REUSEPORT'",
        '*([(socket.SO_REUSEPORT, 1)] if hasattr(socket, "SO_REUSEPORT") else []),',
    ),
    (
        "def run(registry, name, args):\n    func = registry_of(args)[name]\n    return func(args)\n",
        2,
        "KeyError: 'x'",
        '        raise ValueError(f"not known: {name}")\n    func = found[name]\n',
    ),
    (
        "import numpy as np\n\ndef nms(boxes, scores):\n    keep = []\n    order = scores.argsort()[::-1]\n    return boxes[np.array(keep)]\n",
        6,
        "IndexError: arrays used as indices must be of integer (or boolean) type",
        "np.array(keep).astype(int)]",
    ),
    (
        'import json\n\ndef main():\n    with open("config.json") as f:\n        config = json.load(f)\n    user = config["user"]["name"]\n    print("Hello", user.upper())\n    process(user)\n\nmain()\n',
        6,
        "KeyError: 'name'",
        'sys.exit("name not in config[user]")',
    ),
    (
        'def size_of(args):\n    size = args.size.split("x")\n    width = int(size[0])\n    height = int(size[1])\n    return width, height\n',
        4,
        "IndexError: list index out of range",
        '    if len(size) < 2:\n        raise ValueError("size is too short")\n',
    ),
    (
        'def summary(exif):\n    date = exif["DateTime"]\n    make = exif["Make"]\n    model = exif["Model"]\n    return f"{make} {model}, {date}"\n',
        3,
        "KeyError: 'Make'",
        '    date = exif.get("DateTime", "")\n    make = exif.get("Make", "")\n',
    ),
    (
        'def crop(image, detections):\n    x1, y1, x2, y2 = detections[0]["box"]\n    return image[y1:y2, x1:x2]\n\ndef faces(paths):\n    out = []\n    for path in paths:\n        image = read(path)\n        face = crop(image, detect(image))\n        out.append(resize(face, (112, 112)))\n    return out\n',
        2,
        "IndexError: list index out of range",
        "        if face is None:\n            continue\n        out.append(",
    ),
    (
        'def to_yolo(ann, width, height):\n    x, y, w, h = ann["bbox"]\n    return (x + w / 2) / width, (y + h / 2) / height\n\ndef convert(data, out):\n    for ann in data["annotations"]:\n        box = to_yolo(ann, 1, 1)\n        out.write(" ".join(map(str, box)) + "\\n")\n',
        2,
        "KeyError: 'bbox'",
        "        if box is None:\n            continue\n",
    ),
    (
        'def pair(a, b):\n    return [x["id"] for x in a["items"]] + [x["id"] for x in b["items"]]\n',
        2,
        "TypeError: 'NoneType' object is not iterable",
        'for x in b["items"] or ()]',
    ),
    (
        "class Player:\n    def play(self, track):\n        self.current = self.library.find(track)\n        self.stream = self.current.open()\n        self.stream.start()\n",
        4,
        "AttributeError: 'NoneType' object has no attribute 'open'",
        "        if self.current is None:\n            return\n        self.stream = self.current.open()\n",
    ),
    (
        'import argparse\n\ndef main():\n    parser = argparse.ArgumentParser()\n    parser.add_argument("--classes")\n    args = parser.parse_args()\n    classes = args.classes.split(",")\n    run(classes)\n\nmain()\n',
        7,
        "AttributeError: 'NoneType' object has no attribute 'split'",
        '    parser.error("--classes is missing")\n',
    ),
    (
        "def check(model, batch):\n    with torch.no_grad():\n        logits = model(batch).logits\n    return logits.argmax(-1)\n",
        3,
        "AttributeError: 'tuple' object has no attribute 'logits'",
        'logits = output.logits if hasattr(output, "logits") else output[0]\n',
    ),
    (
        'def box(obj):\n    b = obj.find("bndbox")\n    return [int(b.find(k).text) for k in ("xmin", "ymin", "xmax", "ymax")]\n\ndef load(root):\n    out = []\n    for obj in root.findall("object"):\n        box_ = box(obj)\n        out.append(box_[0])\n    return out\n',
        3,
        "AttributeError: 'NoneType' object has no attribute 'find'",
        "    if b is None:\n        return []\n",
    ),
]


@pytest.mark.parametrize(("source", "line", "error", "wanted"), MENDED)
def test_each_is_mended_as_the_code_around_says(
    tmp_path: Path, source: str, line: int, error: str, wanted: str
) -> None:
    found = proposed(tmp_path, source, line, error)
    assert isinstance(found, Proposal), found
    text = found.edits[0].after.decode()
    compile(text, "app.py", "exec")
    assert wanted in text
    assert found.applicability == "review"
