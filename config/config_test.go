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

	"github.com/google/go-cmp/cmp"

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

// The example loads as it stands, without any environment, and names every key; see TestExample_defaults for values.
func TestExample(t *testing.T) {
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := config.Parse(example, text, none); err != nil {
		t.Error(err)
	}
	for _, key := range keys(reflect.TypeFor[config.Config]()) {
		if !regexp.MustCompile(`(?m)[\s#{]` + key + `:`).Match(append([]byte("\n"), text...)) {
			t.Errorf("the example does not say what %s is", key)
		}
	}
}

// keys are the names of all keys that a configuration of this type may have.
func keys(t reflect.Type) []string {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		return keys(t.Elem())
	case reflect.Struct:
	default:
		return nil
	}
	var all []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name != "" && name != "-" {
			all = append(all, name)
		}
		all = append(all, keys(t.Field(i).Type)...)
	}
	return all
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
