package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
)

//go:embed assets
var embedded embed.FS

// assets are the page's files by name.
type assets map[string]asset

type asset struct {
	body      []byte
	kind, tag string
}

// readAssets reads the embedded files. Types are set here, because the machine's own table of types may differ.
func readAssets() assets {
	entries, err := embedded.ReadDir("assets")
	if err != nil {
		panic(err) // the folder is part of the binary
	}
	all := assets{}
	for _, entry := range entries {
		body, err := embedded.ReadFile("assets/" + entry.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(body)
		all[entry.Name()] = asset{body, kindOf(entry.Name()), `"` + hex.EncodeToString(sum[:8]) + `"`}
	}
	return all
}

func kindOf(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	default:
		return "image/svg+xml"
	}
}

// serve serves a file. A browser keeps it and asks whether it is still the same.
func (a assets) serve(w http.ResponseWriter, r *http.Request, name string) {
	file, ok := a[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	header := w.Header()
	header.Set("Cache-Control", "no-cache")
	header.Set("ETag", file.tag)
	if r.Header.Get("If-None-Match") == file.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Type", file.kind)
	w.Write(file.body) //nolint:errcheck // the client is gone
}
