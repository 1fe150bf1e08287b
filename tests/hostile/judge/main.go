// Reads generated files with the parsers that Docker, Compose and Kubernetes use: one JSON line each.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"gopkg.in/yaml.v3"
)

func out(v any) { b, _ := json.Marshal(v); fmt.Println(string(b)) }

func dockerfile(path string) {
	data, err := os.ReadFile(path)
	if err != nil {
		out(map[string]any{"error": err.Error()})
		return
	}
	res, err := parser.Parse(bytes.NewReader(data))
	if err != nil {
		out(map[string]any{"error": "parse: " + err.Error()})
		return
	}
	var list []map[string]any
	for _, n := range res.AST.Children {
		var args []string
		for a := n.Next; a != nil; a = a.Next {
			args = append(args, a.Value)
		}
		var hd []string
		for _, h := range n.Heredocs {
			hd = append(hd, h.Name)
		}
		list = append(list, map[string]any{"op": strings.ToUpper(n.Value), "flags": n.Flags, "args": args, "original": n.Original, "line": n.StartLine, "end": n.EndLine, "heredocs": hd})
	}
	msg := ""
	stages, _, err := instructions.Parse(res.AST, nil)
	if err != nil {
		msg = "instructions: " + err.Error()
	}
	out(map[string]any{"list": list, "stages": len(stages), "error": msg, "warnings": len(res.Warnings)})
}

func compose(dir string, envfile string) {
	env := types.Mapping{}
	if envfile != "" {
		data, err := os.ReadFile(envfile)
		if err == nil {
			for _, l := range strings.Split(string(data), "\n") {
				if i := strings.Index(l, "="); i > 0 && !strings.HasPrefix(l, "#") {
					env[l[:i]] = "SECRETVALUE"
				}
			}
		}
	}
	data, err := os.ReadFile(dir + "/compose.yaml")
	if err != nil {
		out(map[string]any{"error": err.Error()})
		return
	}
	p, err := loader.LoadWithContext(context.Background(), types.ConfigDetails{WorkingDir: dir, ConfigFiles: []types.ConfigFile{{Filename: dir + "/compose.yaml", Content: data}}, Environment: env}, func(o *loader.Options) { o.SkipConsistencyCheck = false; o.SkipNormalization = false })
	if err != nil {
		out(map[string]any{"error": "load: " + err.Error()})
		return
	}
	b, err := p.MarshalJSON()
	if err != nil {
		out(map[string]any{"error": "json: " + err.Error()})
		return
	}
	fmt.Println(string(b))
}

func main() {
	switch os.Args[1] {
	case "dockerfile":
		for _, f := range os.Args[2:] {
			dockerfile(f)
		}
	case "compose":
		e := ""
		if len(os.Args) > 3 {
			e = os.Args[3]
		}
		compose(os.Args[2], e)
	case "dotenv":
		f, _ := os.Open(os.Args[2])
		m, err := dotenv.ParseWithLookup(f, func(string) (string, bool) { return "", false })
		r := map[string]any{"env": m}
		if err != nil {
			r["error"] = err.Error()
		}
		out(r)
	case "yaml":
		for _, f := range os.Args[2:] {
			data, _ := os.ReadFile(f)
			d := yaml.NewDecoder(bytes.NewReader(data))
			var docs []any
			msg := ""
			for {
				var v any
				if err := d.Decode(&v); err != nil {
					if err.Error() != "EOF" {
						msg = err.Error()
					}
					break
				}
				docs = append(docs, v)
			}
			out(map[string]any{"docs": docs, "error": msg})
		}
	}
}
