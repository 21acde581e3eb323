package config_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/trailship/trailship/config"
)

func none(string) (string, bool) { return "", false }

// Each file of testdata/good is a configuration that loads, and one that loads again when it is printed.
func TestParse_good(t *testing.T) {
	for _, file := range fixtures(t, "good") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			cfg, err := config.Load(file)
			if err != nil {
				t.Fatal(err)
			}
			var first, second bytes.Buffer
			if err := cfg.Print(&first); err != nil {
				t.Fatal(err)
			}
			again, err := config.Parse("printed", first.Bytes(), none)
			if err != nil {
				t.Fatalf("what is printed does not load: %v\n%s", err, first.String())
			}
			if err := again.Print(&second); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(first.String(), second.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Each file of testdata/bad has one mistake; its first comment lines are the message, without the file's name.
func TestParse_bad(t *testing.T) {
	for _, file := range fixtures(t, "bad") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for line := range strings.Lines(string(text)) {
				comment, ok := strings.CutPrefix(line, "# ")
				if !ok {
					break
				}
				want = append(want, "FILE:"+strings.TrimSuffix(comment, "\n"))
			}
			_, err = config.Parse("FILE", text, none)
			if err == nil {
				t.Fatal("nothing is wrong")
			}
			if problems := (*config.Error)(nil); !errors.As(err, &problems) {
				t.Errorf("got %T, want *config.Error", err)
			}
			if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func fixtures(t *testing.T, kind string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", kind, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures of kind %s: %v", kind, err)
	}
	return files
}

func TestLoad_noFile(t *testing.T) {
	_, err := config.Load(filepath.Join(t.TempDir(), "missing.yaml"))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want that the file does not exist", err)
	}
}

const example = "../config.example.yaml"

// The example loads as it stands, without any environment, and where it shows a default it shows the right one.
func TestExample(t *testing.T) {
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	got, err := config.Parse(example, text, none)
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.Sources, want.Sinks = got.Sources, got.Sinks // they have no default
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("-default +example\n%s", diff)
	}
}

// The example names every key at its place, those that are off behind a # without a space, and no other key.
func TestExample_complete(t *testing.T) {
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	all := regexp.MustCompile(`(?m)^( *)#([a-z0-9_]+:)`).ReplaceAll(text, []byte("$1$2"))
	var tree map[string]any
	if err := yaml.Unmarshal(all, &tree); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	named("", tree, got)
	want := map[string]bool{}
	known("", reflect.TypeFor[config.Config](), want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-keys there are +keys in the example\n%s", diff)
	}
}

// named collects the paths of all keys of a YAML tree, places in lists left out.
func named(path string, tree any, into map[string]bool) {
	switch v := tree.(type) {
	case map[string]any:
		for key, value := range v {
			at := strings.TrimPrefix(path+"."+key, ".")
			into[at] = true
			named(at, value, into)
		}
	case []any:
		for _, item := range v {
			named(path, item, into)
		}
	}
}

// known collects the paths of all keys that a configuration of this type may have.
func known(path string, t reflect.Type, into map[string]bool) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		known(path, t.Elem(), into)
		return
	case reflect.Struct:
	default:
		return
	}
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case options == "inline":
			known(path, f.Type, into)
		case name != "" && name != "-":
			at := strings.TrimPrefix(path+"."+name, ".")
			into[at] = true
			known(at, f.Type, into)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, kind := range []string{"good", "bad"} {
		files, err := filepath.Glob(filepath.Join("testdata", kind, "*.yaml"))
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range append(files, example) {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	const planted = "pLaNtEd"
	env := func(string) (string, bool) { return planted, true }
	f.Fuzz(func(t *testing.T, text []byte) {
		cfg, err := config.Parse("f", text, env)
		if err != nil {
			if strings.Contains(err.Error(), planted) {
				t.Errorf("the error shows what the environment holds: %v", err)
			}
			return
		}
		if err := cfg.Print(&bytes.Buffer{}); err != nil {
			t.Error(err)
		}
	})
}
