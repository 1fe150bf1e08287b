"""What is checked of the files that longshore wrote for a hostile repository.

The judges are the parsers that read such files in earnest: BuildKit's, compose-go's and go-yaml's (the program in judge/),
PyYAML, the schemas of Kubernetes, kubectl's kustomize, hadolint, cmark-gfm.
"""

import html.parser
import json
import os
import re
import stat
import subprocess
import unicodedata

import cmarkgfm
import kubernetes_validate
import yaml
from cmarkgfm.cmark import Options

KUBERNETES = "1.31"
BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
INSTRUCTIONS = {"FROM", "ENV", "RUN", "WORKDIR", "COPY", "LABEL", "USER", "EXPOSE", "ENTRYPOINT", "CMD", "HEALTHCHECK"}
FLAG = re.compile(r"^--(mount|from=(build|assets(-\d+)?)$|chmod=0755$|interval|timeout|start-period)")
SERVICE_KEYS = set(
    "image build entrypoint command working_dir env_file environment network_mode networks ports sysctls user read_only "
    "tmpfs cap_drop security_opt mem_limit stop_grace_period volumes healthcheck depends_on restart init secrets".split()
)
KUSTOMIZATION_KEYS = {"apiVersion", "kind", "resources", "labels", "patches", "images", "replicas"}
LABEL = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
SUBDOMAIN = re.compile(r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")
LABEL_VALUE = re.compile(r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$")
VARIABLE = re.compile(r"^[-._a-zA-Z][-._a-zA-Z0-9]*$")
TAGS = set("h1 h2 h3 p table thead tbody tr th td ul li code pre strong a em del br".split())
INJECTED = re.compile(r"^\s*(?:(?:RUN|USER|ENV|FROM|COPY|ADD|INCLUDE|Include|LoadFile|-|---)\s+)?(?:INJLINE|INJCONF)")
COMMANDS = ("touch INJCMD", "touch${IFS}INJCMD")


def controls(data):
    """Returns the control characters in `data` that move or hide text."""
    found = {c for c in set(data.decode("utf-8", "replace")) if unicodedata.category(c) == "Cc" and c not in "\n\t"}
    return sorted(hex(ord(c)) for c in found)


def bidirectional(data):
    return sorted(hex(ord(c)) for c in set(data.decode("utf-8", "replace")) & BIDI)


def as_code(text):
    """Returns whether a shell would run one of the commands that the corpus hides in names and values."""
    quote, i = None, 0
    depth = 0
    while i < len(text):
        c = text[i]
        if quote != "'" and any(text.startswith(command, i) for command in COMMANDS) and (quote is None or depth):
            return True
        if quote == "'":
            quote = None if c == "'" else quote
        elif c == "\\":
            i += 1
        elif quote == '"':
            if text.startswith("$(", i) or c == "`":
                depth += 1
            elif c == ")" and depth:
                depth -= 1
            elif c == '"' and not depth:
                quote = None
        elif c in "'\"":
            quote = c
        i += 1
    return False


def walk(value, path=""):
    """Yields each key and each value of a document with its path."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield "key", path, key
            yield from walk(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from walk(inner, f"{path}[{index}]")
    else:
        yield "value", path, value


class Judge:
    """The judges of one output folder. `fail` takes a kind and a message."""

    def __init__(self, tools, out, repo, plan, meta, fail):
        self.tools, self.out, self.repo, self.plan, self.meta, self.fail = tools, out, repo, plan, meta, fail
        self.is_heavy = bool(meta.get("dos") or meta.get("heavy"))
        self.texts = self.read()
        # What lies behind a link is not written, which is told: the other files miss it.
        self.is_linked = any(self.links())

    def links(self):
        for top in ("env", "k8s", "container"):
            yield os.path.islink(f"{self.out}/{top}")
            for folder, folders, names in os.walk(f"{self.out}/{top}"):
                yield any(os.path.islink(os.path.join(folder, name)) for name in folders + names)

    def read(self):
        """Returns the generated files by path; what a person has in the same folder is none."""
        state = f"{self.out}/.longshore.json"
        written = None
        if os.path.isfile(state) and not os.path.islink(state) and os.path.getsize(state) < 1e8:
            try:
                with open(state) as file:
                    written = json.load(file)["files"]
            except (ValueError, KeyError, TypeError):
                pass
        texts = {}
        for folder, _, names in os.walk(self.out):
            for name in names:
                path = os.path.join(folder, name)
                relative = os.path.relpath(path, self.out)
                is_ours = written is None or relative in written
                if is_ours and relative != ".longshore.json" and stat.S_ISREG(os.lstat(path).st_mode):
                    with open(path, "rb") as file:
                        texts[relative] = file.read()
        return texts

    def all(self):
        for path, data in self.texts.items():
            if not path.startswith("container/source/"):
                self.text(path, data)
        names = [path for path in self.texts if path.startswith("Dockerfile") and "/" not in path]
        for path, read in zip(names, self.ask("dockerfile", *names)):
            self.dockerfile(path, read)
        documents = {path: self.yaml(path) for path in self.texts if path.endswith(".yaml")}
        if "compose.yaml" in documents and not self.is_linked:
            self.compose()
        self.environments(documents)
        self.kustomize()
        self.report()

    def ask(self, kind, *paths):
        """Returns what the program in judge/ says of `paths`, an object each."""
        if not paths:
            return []
        asked = subprocess.run(
            [f"{self.tools}/hostile-judge", kind, *(f"{self.out}/{path}" if path else self.out for path in paths)],
            capture_output=True,
            timeout=300,
        )
        lines = [line for line in asked.stdout.decode("utf-8", "replace").split("\n") if line.strip()]
        if not lines:
            return [{"error": "the judge: " + asked.stderr.decode("utf-8", "replace")[-300:]}] * len(paths)
        return [json.loads(asked.stdout)] if kind == "compose" else [json.loads(line) for line in lines]

    def text(self, path, data):
        text = data.decode("utf-8", "replace")
        for line in re.split("[\n\r]", text):
            if INJECTED.match(line):
                self.fail("injection", f"{path}: a line begins with the canary: {line[:100]!r}")
        if controls(data):
            self.fail("control", f"{path}: control characters {controls(data)}")
        # Files of other programs may hold names as they are.
        if (
            bidirectional(data)
            and path.endswith((".md", ".yaml"))
            or bidirectional(data)
            and path.startswith("Dockerfile")
        ):
            self.fail("bidi", f"{path}: {bidirectional(data)}")
        if self.meta.get("tmpl") and re.search(r"(?<![\w.:])49(?![\w.])", text):
            self.fail("template", f"{path}: 7*7 was computed")
        if path.endswith((".conf", ".ini")):
            for line in text.splitlines():
                if "INJCONF" in re.sub(r'"(?:[^"\\]|\\.)*"', "", line.split("#")[0]):
                    self.fail("conf", f"{path}: {line.strip()[:200]}")
        if path == ".dockerignore":
            for line in text.splitlines():
                if line.startswith("!") and re.search(r"[*?\[]", re.sub(r"\\.", "", line)):
                    self.fail("dockerignore", f"lets more in than a file: {line[:100]!r}")
        for line in text.splitlines():
            copied = re.match(r"#\s*(kubectl|docker|psql|mysql|mongorestore|cp)\s(.*)", line.strip())
            if copied and as_code(copied.group(2)):
                self.fail("comment-shell", f"{path}: {line.strip()[:200]}")

    # Dockerfile

    def component(self, path):
        if not self.plan:
            return None
        wanted = path.split(".", 1)[1] if "." in path else None
        return next((known for known in self.plan["components"] if wanted in (None, known["id"])), None)

    def dockerfile(self, path, read):
        if read.get("error"):
            self.fail("dockerfile", f"{path}: {read['error'][:200]}")
        instructions = read.get("list") or []
        component = self.component(path)
        stages = [index for index, it in enumerate(instructions) if it["op"] == "FROM"]
        if component and len(stages) != 2 + len(component.get("assets", [])):
            self.fail("dockerfile", f"{path}: {len(stages)} stages for {len(component.get('assets', []))} of assets")
        for it in instructions:
            self.instruction(path, it)
        last = instructions[stages[-1] :] if stages else []
        users = [it["args"][0] for it in last if it["op"] == "USER"]
        if not users or not re.match(r"^[1-9]\d*:[1-9]\d*$", users[-1]):
            self.fail("dockerfile", f"{path}: the last stage runs as {users}")
        if component and component.get("start"):
            command = [it["args"] for it in last if it["op"] == "CMD"][-1:]
            if command != [component["start"]["command"]]:
                self.fail("dockerfile", f"{path}: CMD {command} is not {component['start']['command']}"[:300])
        if not self.is_heavy:
            linted = subprocess.run(
                [f"{self.tools}/hadolint", "--no-fail", "-f", "json", f"{self.out}/{path}"],
                capture_output=True,
                timeout=300,
            )
            try:
                json.loads(linted.stdout or b"[]")
            except ValueError as error:
                self.fail("dockerfile", f"{path}: hadolint {error} {linted.stderr[:200]}")

    def instruction(self, path, it):
        place = f"{path}:{it['line']}"
        if it["op"] not in INSTRUCTIONS:
            self.fail("dockerfile", f"{place}: instruction {it['op']}")
        if it.get("heredocs"):
            self.fail("dockerfile", f"{place}: heredoc {it['heredocs']}")
        is_long = it["end"] != it["line"]
        if is_long and it["op"] not in ("ENV", "RUN"):
            self.fail("dockerfile", f"{place}: {it['op']} swallows the next line: {it['original'][:160]!r}")
        elif is_long and re.search(r"^\s*(USER \d|FROM |COPY |WORKDIR |CMD \[)", it["original"], re.M):
            self.fail("dockerfile", f"{place}: {it['op']} swallows an instruction: {it['original'][:200]!r}")
        if it["op"] == "RUN" and as_code(it["original"]):
            self.fail("shell", f"{place}: {it['original'][:220]!r}")
        for flag in it.get("flags") or []:
            if not FLAG.match(flag):
                self.fail("dockerfile", f"{place}: flag {flag}")
        if it["op"] == "COPY" and not any(flag.startswith("--from") for flag in it.get("flags") or []):
            for source in it["args"][:-1]:
                if not self.is_there(source):
                    self.fail("dockerfile", f"{place}: COPY of {source!r}, which is not there")

    def is_there(self, source):
        """Returns whether the build context has `source`; a pattern may have no match."""
        if re.search(r"[*?\[\\]", source):
            return True
        source = source.lstrip("/") or "."
        places = [os.path.join(root, source) for root in (self.repo, self.out)]
        return self.is_linked or any(os.path.lexists(place) for place in places)

    # YAML

    def yaml(self, path):
        text = self.texts[path].decode("utf-8", "replace")
        try:
            documents = list(yaml.load_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
        except (yaml.YAMLError, ValueError) as error:
            self.fail("yaml", f"{path}: PyYAML {str(error)[:200]!r}")
            documents = []
        other = self.ask("yaml", path)[0]
        if other.get("error"):
            self.fail("yaml", f"{path}: go-yaml {other['error'][:200]}")
        elif documents and normal(documents) != normal(other["docs"] or []):
            self.fail("yaml", f"{path}: go-yaml and PyYAML read it differently")
        for document in documents:
            if not isinstance(document, dict):
                self.fail("yaml", f"{path}: a document is {type(document).__name__}")
                continue
            for kind, at, value in walk(document):
                if kind == "key" and not isinstance(value, str):
                    self.fail("yaml", f"{path}: the key {at}.{value!r} is {type(value).__name__} in YAML 1.1")
                if kind == "key" and "INJLINE" in str(value):
                    self.fail("injection", f"{path}: key {value!r}")
            if path == "compose.yaml":
                self.compose_document(document)
            elif path.endswith("kustomization.yaml"):
                if set(document) - KUSTOMIZATION_KEYS:
                    self.fail("injection", f"{path}: keys {set(document) - KUSTOMIZATION_KEYS}")
            elif path.startswith("k8s/") and "patch" not in path:
                self.manifest(path, document)
        return documents

    def compose_document(self, document):
        extra = set(document) - {"name", "services", "secrets", "volumes"}
        if extra:
            self.fail("injection", f"compose.yaml: keys {extra}")
        for name, service in (document.get("services") or {}).items():
            if not isinstance(service, dict):
                self.fail("yaml", f"compose.yaml: the service {name!r} is {service!r}"[:200])
                continue
            if set(service) - SERVICE_KEYS:
                self.fail("injection", f"compose.yaml: keys of {name}: {set(service) - SERVICE_KEYS}")
            for key, value in (service.get("environment") or {}).items():
                if not isinstance(value, str):
                    self.fail("yaml", f"compose.yaml: {key} is {type(value).__name__}")
            command = service.get("command") or [""]
            if command[0] in ("sh", "bash") and any(as_code(str(word)) for word in command):
                self.fail("shell", f"compose.yaml: {command}"[:250])
            for volume in service.get("volumes") or []:
                source = volume.get("source", "") if isinstance(volume, dict) else volume
                if isinstance(volume, dict) and volume.get("type") == "bind" and not is_below(source):
                    self.fail("outside", f"compose.yaml: mounts {source!r}")

    def compose(self):
        read = self.ask("compose", "", "env/secrets.example.env")[0]
        if read.get("error"):
            self.fail("compose", read["error"][:300])
            return
        root = os.path.realpath(self.out)
        for name, service in read["services"].items():
            for volume in service.get("volumes") or []:
                source = volume.get("source", "")
                if volume.get("type") == "bind" and not os.path.normpath(source).startswith(root + "/"):
                    self.fail("outside", f"compose.yaml: {name} mounts {source!r}")
        for component in (self.plan or {}).get("components", []):
            self.compose_component(component, read["services"])

    def compose_component(self, component, services):
        service = services.get(component["id"])
        if service is None:
            self.fail("compose", f"no service {component['id']!r}: {list(services)}"[:300])
            return
        if len(self.plan["components"]) == 1:
            self.values("compose.yaml", service.get("environment") or {}, component, "development")
        for process in component.get("processes") or []:
            command = services.get(f"{component['id']}-{process['id']}", {}).get("command")
            if command != process["command"]:
                self.fail("compose", f"process {process['id']}: {command} is not {process['command']}"[:300])
        mounted = [volume.get("target") for volume in service.get("volumes") or []]
        mounted += [place.split(":")[0] for place in service.get("tmpfs") or []]
        for volume in component.get("volumes") or []:
            if ":" not in volume["path"] and volume["path"] not in mounted:
                self.fail("compose", f"the volume {volume['path'][:80]!r} became {mounted}"[:300])

    def values(self, where, read, component, environment):
        """Compares plain settings with those of the plan; what no place can hold is left out, or made visible."""
        for var in component["env"]:
            wanted = (var.get("values") or {}).get(environment, var.get("default"))
            if var["kind"] != "config" or wanted is None or not VARIABLE.match(var["name"]) or len(var["name"]) > 253:
                continue
            if visible(read.get(var["name"], wanted)) != visible(wanted):
                self.fail("env", f"{where}: {var['name']} is {str(read.get(var['name']))[:60]!r}, not {wanted[:60]!r}")

    def environments(self, documents):
        components = (self.plan or {}).get("components", [])
        for environment in ("development", "production"):
            path = f"env/{environment}.env"
            if path not in self.texts:
                continue
            read = self.ask("dotenv", path)[0]
            if read.get("error"):
                self.fail("env", f"{path}: {read['error'][:200]}")
                continue
            known = {var["name"] for component in components for var in component["env"]}
            if components and set(read["env"] or {}) - known:
                self.fail("env", f"{path}: unexpected names {sorted(set(read['env']) - known)[:5]}")
            if len(components) == 1:
                self.values(path, read["env"] or {}, components[0], environment)
                config = documents.get(f"k8s/overlays/{environment}/configmap.yaml") or [{}]
                self.values(f"ConfigMap {environment}", config[0].get("data") or {}, components[0], environment)

    # Kubernetes

    def manifest(self, path, document):
        kind, metadata = document.get("kind"), document.get("metadata", {})
        name = metadata.get("name")
        limit = {"Service": 63, "CronJob": 52, "Job": 63}.get(kind, 253)
        pattern = LABEL if kind in ("Service", "Job", "CronJob") else SUBDOMAIN
        is_name = isinstance(name, str) and len(name) <= limit and pattern.match(name)
        if not is_name or kind == "Service" and not name[0].isalpha():
            self.fail("k8s", f"{path}: the name of a {kind} is {str(name)[:90]!r}")
        spec = document.get("spec") or {}
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template", {})
        for labels in (
            metadata.get("labels"),
            template.get("metadata", {}).get("labels"),
            spec.get("selector") if kind == "Service" else spec.get("selector", {}).get("matchLabels"),
        ):
            for key, value in (labels or {}).items():
                if not isinstance(value, str) or len(value) > 63 or not LABEL_VALUE.match(value):
                    self.fail("k8s", f"{path}: the label {key} is {str(value)[:90]!r}")
        if template.get("spec"):
            self.pod(path, template["spec"])
        for rule in spec.get("rules", []) if kind == "Ingress" else []:
            host = rule.get("host", "")
            if host and (len(host) > 253 or not all(LABEL.match(part) and len(part) < 64 for part in host.split("."))):
                self.fail("k8s", f"{path}: the host of an Ingress is {host[:90]!r}")
        for key, value in (document.get("data") or {}).items() if kind == "ConfigMap" else []:
            if not re.match(r"^[-._a-zA-Z0-9]{1,253}$", str(key)) or not isinstance(value, str):
                self.fail("k8s", f"{path}: {str(key)[:60]!r} of a ConfigMap is {type(value).__name__}")
        try:
            kubernetes_validate.validate(document, KUBERNETES, strict=True)
        except Exception as error:  # The library has an exception of its own for each way to fail.
            self.fail("k8s", f"{path}: {type(error).__name__} {str(error)[:200]}")

    def pod(self, path, spec):
        containers = (spec.get("containers") or []) + (spec.get("initContainers") or [])
        for names in ([it.get("name") for it in containers], [it.get("name") for it in spec.get("volumes") or []]):
            if len(set(names)) != len(names):
                self.fail("k8s", f"{path}: a name stands twice in {names}"[:200])
            for name in names:
                if not isinstance(name, str) or len(name) > 63 or not LABEL.match(name):
                    self.fail("k8s", f"{path}: the name {str(name)[:90]!r} of a container or a volume")
        for container in containers:
            places = [mount["mountPath"] for mount in container.get("volumeMounts") or []]
            if len(set(places)) != len(places):
                self.fail("k8s", f"{path}: a mountPath stands twice in {places}"[:200])
            for place in places:
                if ":" in place or not place.startswith("/"):
                    self.fail("k8s", f"{path}: mountPath {place[:80]!r}")
            for var in container.get("env") or []:
                if not isinstance(var.get("name"), str) or not VARIABLE.match(var["name"]):
                    self.fail("k8s", f"{path}: the variable {var.get('name')!r}")

    def kustomize(self):
        manifests = [f"{folder}/{name}" for folder, _, names in os.walk(f"{self.out}/k8s") for name in names]
        is_plain = all(stat.S_ISREG(os.lstat(path).st_mode) for path in manifests)
        if self.is_heavy or self.is_linked or not is_plain or "k8s/base/kustomization.yaml" not in self.texts:
            return
        for environment in ("development", "production"):
            made = subprocess.run(
                [f"{self.tools}/kubectl", "kustomize", f"{self.out}/k8s/overlays/{environment}"],
                capture_output=True,
                timeout=300,
            )
            if made.returncode:
                self.fail("k8s", f"kustomize {environment}: {made.stderr.decode()[-250:]!r}")
                continue
            for document in yaml.safe_load_all(made.stdout.decode()):
                for kind, _, value in walk(document):
                    if kind == "key" and "INJLINE" in str(value):
                        self.fail("injection", f"kustomize {environment}: key {value!r}")

    # Markdown

    def report(self):
        text = self.texts.get("CONTAINER.md", b"").decode("utf-8", "replace")
        if len(text) > 3_000_000:
            return
        page = cmarkgfm.github_flavored_markdown_to_html(text, options=Options.CMARK_OPT_UNSAFE)
        reader = Tags()
        reader.feed(re.sub(r"<!--.*?-->", "", page, count=1, flags=re.S))
        for tag, attributes in reader.tags:
            if tag not in TAGS or any(name.startswith("on") for name in attributes):
                self.fail("html", f"CONTAINER.md: <{tag} {attributes}>"[:200])
            if re.match(r"(?i)\s*javascript", attributes.get("href") or ""):
                self.fail("html", f"CONTAINER.md: {attributes}")


class Tags(html.parser.HTMLParser):
    """Collects the tags of a page."""

    def __init__(self):
        super().__init__()
        self.tags = []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))


def is_below(source):
    return source.startswith("./") and ".." not in source.split("/")


def visible(text):
    """Returns `text` with a blank for what moves or hides text."""
    hidden = lambda c: unicodedata.category(c) == "Cc" or c in BIDI or c in "\u2028\u2029\ufeff\ufffe\uffff"
    return "".join(" " if hidden(c) else c for c in text).strip() if isinstance(text, str) else text


def normal(value):
    """Returns `value` in a form in which two readers can be compared: their types differ for days and keys."""
    if isinstance(value, dict):
        return {str(key): normal(inner) for key, inner in sorted(value.items(), key=lambda item: str(item[0]))}
    if isinstance(value, list):
        return [normal(inner) for inner in value]
    return value if value is None or isinstance(value, (str, bool)) else str(value)
