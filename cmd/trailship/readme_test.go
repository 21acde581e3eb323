package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trailship/trailship/config"
)

// blocks are the code blocks of the README in one language.
func blocks(t *testing.T, language string) []string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	parts := strings.Split(string(text), "\n```"+language+"\n")
	for _, part := range parts[1:] {
		code, _, _ := strings.Cut(part, "\n```\n")
		found = append(found, code)
	}
	return found
}

// The first commands of the README do what it says, on a machine that has nothing but Go.
func TestREADME_tryIt(t *testing.T) {
	dir := t.TempDir()
	var script string
	for _, code := range blocks(t, "sh") {
		if strings.Contains(code, "trailship normalize") {
			script = code
		}
	}
	if script == "" {
		t.Fatal("the README has no block with trailship normalize")
	}
	for _, made := range []string{"bin/trailship", "documents.ndjson"} {
		script = strings.ReplaceAll(script, made, filepath.Join(dir, made))
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-euc", script)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as releases are built, so that it is compiled once
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	documents, err := os.ReadFile(filepath.Join(dir, "documents.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := bytes.Count(documents, []byte("\n")), 2122; got != want {
		t.Errorf("got %d documents, want %d", got, want)
	}
}

// The README's configuration is one.
func TestREADME_configuration(t *testing.T) {
	examples := blocks(t, "yaml")
	t.Chdir("../..") // where its paths are right
	for _, text := range examples {
		_, err := config.Parse("README.md", []byte(text), func(name string) (string, bool) { return "value", name == "ES_API_KEY" })
		if err != nil {
			t.Error(err)
		}
	}
}

// Every command and flag that the README names is there.
func TestREADME_commands(t *testing.T) {
	root := newRoot(func(int) {})
	checked := 0
	for _, code := range blocks(t, "sh") {
		for line := range strings.Lines(code) {
			words := strings.Fields(strings.SplitN(line, "#", 2)[0])
			if len(words) < 2 || filepath.Base(words[0]) != "trailship" {
				continue
			}
			command, _, err := root.Find(words[1:2])
			if err != nil {
				t.Errorf("%s: %v", line, err)
				continue
			}
			checked++
			for _, word := range words[2:] {
				if name, ok := strings.CutPrefix(word, "--"); ok && command.Flags().Lookup(name) == nil {
					t.Errorf("%s: there is no flag %s", line, word)
				}
			}
		}
	}
	if checked < 4 {
		t.Errorf("only %d commands were found in the README", checked)
	}
}

// ARCHITECTURE.md names every package.
func TestARCHITECTURE_packages(t *testing.T) {
	page, err := os.ReadFile("../../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "list", "-tags", "servers,browser", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		name := strings.TrimPrefix(strings.TrimSpace(line), "github.com/trailship/trailship/")
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("ARCHITECTURE.md does not say what %s is for", name)
		}
	}
}
