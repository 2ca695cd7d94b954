# ruff: noqa: E501
"""Programs whose error comes from what a line calls, or whose mend the code around says, and their look-alikes."""

from tests.engine.repair.corpus.program import program, spared

_LIBRARY = "class Graph:\n    def __init__(self, **nodes):\n        self.nodes = nodes\n"
_RENAME = {"lib.py": f"{_LIBRARY}\n    def rename(self, old, new):\n        self.nodes[new] = self.nodes.pop(old)\n"}
_LINE = 'Traceback (most recent call last):\n  File "{root}/app.py", line %d, in %s\n    %s\n%s\n'

ATTRIBUTE = [
    program(
        "an owner that is not there for what is read on",
        "def fetch(repo):\n    done = ['looked']\n    repo.remotes.origin.fetch()\n    return done\n",
        "import app\nfrom types import SimpleNamespace as N\nassert app.fetch(N(remotes=N())) == ['looked']\nassert app.fetch(N(remotes=N(origin=N(fetch=lambda: 1)))) == ['looked']",
        operator="guard-use",
        applicability="review",
        after={
            "app.py": "def fetch(repo):\n    done = ['looked']\n    if hasattr(repo.remotes, 'origin'):\n"
            "        repo.remotes.origin.fetch()\n    return done\n"
        },
    ),
    program(
        "a validator that refuses in its own error",
        "class Invalid(Exception):\n    pass\n\n\ndef migrate(config):\n    name = config.get('name')\n    if not name:\n        raise Invalid('no name')\n    return config\n",
        "import app\nassert app.migrate({'name': 'a'})\ntry:\n    app.migrate('text')\nexcept app.Invalid:\n    pass\nelse:\n    raise AssertionError",
        operator="clear-error",
        applicability="review",
    ),
    program(
        "text among fields of which the function knows that some are text",
        "def part(field, key):\n    if isinstance(field, str):\n        return field\n    parts = field[1].parts_of(key)\n    return parts[0] if parts else None\n",
        "import app\nassert app.part(('001', 'text'), 'a') is None\nassert app.part('x', 'a') == 'x'\nassert app.part(('1', type('F', (), {'parts_of': lambda s, k: [k]})()), 'a') == 'a'",
        operator="guard-use",
    ),
    program(
        "a None that is given to what fails on it",
        "class View:\n    def __init__(self):\n        self.pipeline = None\n        self.seen = 0\n\n    def warn(self):\n        self.seen += 1\n        dump(self.pipeline)\n\n\ndef dump(pipeline):\n    return pipeline.name\n",
        "import app\nview = app.View()\nview.warn()\nassert view.seen == 1",
        log=_LINE % (8, "warn", "dump(self.pipeline)", "AttributeError: 'NoneType' object has no attribute 'name'"),
        operator="guard-use",
    ),
    program(
        "two conditions that both have to hold tell nothing of one of them",
        "def first(result):\n    if result.boxes is not None and result.empty:\n        return []\n    names = result.boxes.names\n    return list(names)\n",
        "import app\nfrom types import SimpleNamespace as N\nassert app.first(N(boxes=None, empty=False)) == []\nassert app.first(N(boxes=N(names='ab'), empty=False)) == ['a', 'b']",
        operator="guard-use",
    ),
]
ATTRIBUTE_LOOKALIKES = [
    spared(
        "what the program itself calls at its start",
        "import lib\n\nlib.run()\n",
        files={"lib.py": "def run():\n    return object().name\n"},
        log=_LINE % (3, "<module>", "lib.run()", "AttributeError: 'object' object has no attribute 'name'"),
        reason="the error comes from what it calls",
    ),
    spared(
        "what is returned is needed",
        "import lib\n\n\ndef size(path):\n    return lib.read(path) * 2\n",
        files={"lib.py": "def read(path):\n    return path.size\n"},
        log=_LINE % (5, "size", "return lib.read(path) * 2", "AttributeError: 'str' object has no attribute 'size'"),
        reason="the error comes from what it calls",
    ),
    spared(
        "a check for None that leaves",
        "def f(result):\n    if result.boxes is None:\n        return []\n    return result.boxes.names\n",
        log=_LINE % (4, "f", "return result.boxes.names", "AttributeError: 'NoneType' object has no attribute 'names'"),
    ),
]

TYPE_MISMATCH = [
    program(
        "a call that is done for its effect finds no such key",
        "import logging\n\nimport lib\n\nlog = logging.getLogger('app')\n\n\ndef prepare(graph):\n    lib.Graph.rename(graph, 'SPACE', ' ')\n    return sorted(graph.nodes)\n",
        "import app, lib\nassert app.prepare(lib.Graph(a=1)) == ['a']\nassert app.prepare(lib.Graph(SPACE=1)) == [' ']",
        files=_RENAME,
        log=_LINE % (9, "prepare", "lib.Graph.rename(graph, 'SPACE', ' ')", "KeyError: 'SPACE'"),
        operator="caught",
        applicability="review",
    ),
    program(
        "a call in a loop that fails for one of them",
        "import lib\n\n\ndef names(rows):\n    found = []\n    for row in rows:\n        value = lib.name_of(row)\n        found.append(value.upper())\n    return found\n",
        "import app\nassert app.names([{'name': 'a'}, {}, {'name': 'b'}]) == ['A', 'B']",
        files={"lib.py": "def name_of(row):\n    return row['name']\n"},
        log=_LINE % (7, "names", "value = lib.name_of(row)", "KeyError: 'name'"),
        operator="caught",
    ),
    program(
        "a handler that is ready for what a call raises otherwise",
        "import lib\n\n\ndef owner(path):\n    try:\n        return lib.owner_of(path)\n    except ValueError:\n        return 'nobody'\n",
        "import app\nassert app.owner('a') == 'nobody'",
        files={"lib.py": "def owner_of(path):\n    return {}[path]\n"},
        log=_LINE % (6, "owner", "return lib.owner_of(path)", "KeyError: 'a'"),
        operator="handler",
    ),
    program(
        "a library that takes no None",
        "def refuse(value):\n    if value is None:\n        raise TypeError('Argument 0 does not allow None as a value')\n    return value\n\n\nclass Sink:\n    def __init__(self, pipeline=None):\n        self.pipeline = pipeline\n        self.warned = 0\n\n    def warn(self):\n        refuse(self.pipeline)\n        self.warned += 1\n",
        "import app\nsink = app.Sink()\nsink.warn()\nassert sink.warned == 1",
        log=_LINE % (13, "warn", "refuse(self.pipeline)", "TypeError: Argument 0 does not allow None as a value"),
        operator="guard-use",
    ),
    program(
        "what stands behind it serves",
        "def best(works):\n    return [work.get('docs', [None])[0] or work for work in works]\n",
        "import app\nassert app.best([{'docs': []}, {'docs': ['a']}]) == [{'docs': []}, 'a']",
        operator="conditional",
    ),
    program(
        "of two lists that are walked together either may be missing",
        "def authors(doc):\n    return [(key, name) for key, name in zip(doc['author_key'], doc['author_name'])]\n",
        "import app\nassert app.authors({}) == []\nassert app.authors({'author_key': ['a'], 'author_name': ['A']}) == [('a', 'A')]",
        operator="get",
    ),
    program(
        "parts of a text that are walked",
        "def content(info):\n    found = []\n    for part in [info['subtitle'], info['description']]:\n        part = part.strip()\n        if part:\n            found.append(part)\n    return found\n",
        "import app\nassert app.content({'description': ' a '}) == ['a']\nassert app.content({}) == []",
        operator="get",
    ),
    program(
        "a header that a browser need not send",
        "def view(request):\n    if request.headers['Accept'] == 'text/plain':\n        return 'plain'\n    return 'page'\n",
        "import app\nR = lambda **h: type('R', (), {'headers': h})\nassert app.view(R()) == 'page'\nassert app.view(R(Accept='text/plain')) == 'plain'",
        operator="get",
        applicability="review",
    ),
    program(
        "the rest of a path that is empty",
        "def proxy(request, client):\n    path = request.match_info['path']\n    return client(request, path)\n",
        "import app\nassert app.proxy(type('R', (), {'match_info': {}}), lambda r, p: '/' + p) == '/'",
        operator="get",
    ),
    program(
        "a property that reads one key",
        'class Plugin:\n    def __init__(self, data):\n        self._data = data\n\n    @property\n    def token(self):\n        """The token, where there is one."""\n        return self._data[\'access_token\']\n',
        "import app\nassert app.Plugin({}).token is None\nassert app.Plugin({'access_token': 'a'}).token == 'a'",
        operator="get",
        applicability="review",
    ),
    program(
        "deleted from an object of the project's own",
        "from tags import Tags\n\n\ndef group(song):\n    song = Tags(song)\n    del song['artist']\n    return sorted(song)\n",
        "import app\nassert app.group({'title': 1}) == ['title']\nassert app.group({'title': 1, 'artist': 2}) == ['title']",
        files={"tags.py": "class Tags(dict):\n    def __delitem__(self, key):\n        dict.__delitem__(self, key)\n"},
        operator="guard-use",
        after={
            "app.py": "from tags import Tags\n\n\ndef group(song):\n    song = Tags(song)\n    if 'artist' in song:\n"
            "        del song['artist']\n    return sorted(song)\n"
        },
    ),
    program(
        "one part of a record whose other parts may be missing",
        "def clean(text):\n    return text.strip()\n\n\ndef listed(rows):\n    found = []\n    for row in rows:\n        found.append(\n            dict(\n                url=row['url'],\n                content=clean(row['snippet']),\n                image=row.get('image') or '',\n            )\n        )\n    return found\n",
        "import app\nassert app.listed([{'url': 'a'}]) == [{'url': 'a', 'content': None, 'image': ''}]\nassert app.listed([{'url': 'a', 'snippet': ' b '}])[0]['content'] == 'b'",
        operator="conditional",
    ),
    program(
        "all that is returned is a list",
        "def widths(rows, limit):\n    most = len(rows[limit - 1])\n    found = [most * 2]\n    found.extend(map(len, rows))\n    return found\n",
        "import app\nassert app.widths(['a'], 3) == []\nassert app.widths(['a'], 1) == [2, 1]",
        operator="guard-use",
    ),
]
TYPE_MISMATCH_LOOKALIKES = [
    spared(
        "a call that is wrong in itself",
        "import lib\n\n\ndef names(rows):\n    for row in rows:\n        lib.name_of(row, 1)\n",
        files={"lib.py": "def name_of(row):\n    return row\n"},
        log=_LINE
        % (6, "names", "lib.name_of(row, 1)", "TypeError: name_of() takes 1 positional argument but 2 were given"),
    ),
    spared(
        "a form that a person sent",
        "def view(req):\n    return req.args['page']\n\n\nview(type('R', (), {'args': {}}))\n",
        reason="is what a person sent",
    ),
    spared(
        "a token that a function needs",
        "def connect(data):\n    return ('https', data['access_token'])\n\n\nconnect({})\n",
        reason="must be given",
    ),
]

MISSING_FILE = [
    program(
        "a folder that is written out",
        "UPDATED = './out/updated.txt'\n\n\ndef save(text):\n    with open(UPDATED, 'w', encoding='utf-8') as stream:\n        stream.write(text)\n",
        "import app, pathlib\napp.save('a')\nassert pathlib.Path('out/updated.txt').read_text(encoding='utf-8') == 'a'",
        operator="mkdir",
        applicability="review",
    ),
]
