package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRun(t *testing.T) {
	const pass = `{"Action":"pass","Package":"a","Test":"TestA","Elapsed":0.1}
{"Action":"pass","Package":"a","Elapsed":0.2}
`
	tests := []struct {
		name, in, counts, out, err string
	}{
		{name: "nothing", counts: "0 0 0\n", err: "no test ran"},
		{name: "one passes", in: pass, counts: "1 0 0\n", out: "pass  a  0.2s\n"},
		{
			name: "subtests count and their test does not",
			in: `{"Action":"run","Package":"a","Test":"TestA"}
{"Action":"run","Package":"a","Test":"TestA/x"}
{"Action":"run","Package":"a","Test":"TestA/y/z"}
{"Action":"pass","Package":"a","Test":"TestA/x"}
{"Action":"pass","Package":"a","Test":"TestA/y/z"}
{"Action":"pass","Package":"a","Test":"TestA"}
{"Action":"pass","Package":"a","Elapsed":1}
`,
			counts: "2 0 0\n", out: "pass  a  1.0s\n",
		},
		{
			name: "a failed subtest counts once",
			in: `{"Action":"run","Package":"a","Test":"TestA"}
{"Action":"run","Package":"a","Test":"TestA/x"}
{"Action":"output","Package":"a","Test":"TestA/x","Output":"    a_test.go:1: got 1\n"}
{"Action":"fail","Package":"a","Test":"TestA/x"}
{"Action":"fail","Package":"a","Test":"TestA"}
{"Action":"fail","Package":"a","Elapsed":1}
`,
			counts: "0 1 0\n", out: "fail  a  1.0s\n\nfailed: a TestA/x\n    a_test.go:1: got 1\n", err: "1 failed",
		},
		{
			name: "a test fails after its subtests passed",
			in: `{"Action":"run","Package":"a","Test":"TestA"}
{"Action":"pass","Package":"a","Test":"TestA/x"}
{"Action":"fail","Package":"a","Test":"TestA"}
{"Action":"fail","Package":"a","Elapsed":1}
`,
			counts: "1 1 0\n", out: "fail  a  1.0s\n\nfailed: a TestA\n", err: "1 failed",
		},
		{
			name: "a package does not compile",
			in: `{"ImportPath":"a [a.test]","Action":"build-output","Output":"a.go:1: undefined: x\n"}
{"ImportPath":"a [a.test]","Action":"build-fail"}
{"Action":"fail","Package":"a","Elapsed":0,"FailedBuild":"a [a.test]"}
`,
			counts: "0 1 0\n", out: "fail  a  0.0s\n\nfailed: a\na.go:1: undefined: x\n", err: "1 failed",
		},
		{
			name: "a test never ends",
			in: `{"Action":"run","Package":"a","Test":"TestA"}
{"Action":"output","Package":"a","Output":"panic: test timed out\n"}
{"Action":"fail","Package":"a","Elapsed":9}
`,
			counts: "0 1 0\n", out: "fail  a  9.0s\n\nfailed: a TestA\npanic: test timed out\n", err: "1 failed",
		},
		{
			name: "skipped with its reason",
			in: `{"Action":"run","Package":"a","Test":"TestS"}
{"Action":"output","Package":"a","Test":"TestS","Output":"=== RUN   TestS\n"}
{"Action":"output","Package":"a","Test":"TestS","Output":"    a_test.go:7: no such folder\n"}
{"Action":"output","Package":"a","Test":"TestS","Output":"--- SKIP: TestS (0.00s)\n"}
{"Action":"skip","Package":"a","Test":"TestS"}
` + pass,
			counts: "1 0 1\n", out: "pass  a  0.2s\nskipped: a TestS: a_test.go:7: no such folder\n",
		},
		{
			name: "a package without tests", in: `{"Action":"skip","Package":"b","Elapsed":0}` + "\n" + pass,
			counts: "1 0 0\n", out: "pass  a  0.2s\n",
		},
		{name: "a line that is not JSON", in: "go: downloading x\n" + pass, counts: "1 0 0\n", out: "pass  a  0.2s\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			counts := filepath.Join(t.TempDir(), "counts")
			var out strings.Builder
			got := ""
			if err := run(strings.NewReader(test.in), &out, counts); err != nil {
				got = err.Error()
			}
			if got != test.err {
				t.Errorf("got error %q, want %q", got, test.err)
			}
			if diff := cmp.Diff(test.out, out.String()); diff != "" {
				t.Errorf("the report differs (-want +got):\n%s", diff)
			}
			written, err := os.ReadFile(counts)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.counts, string(written)); diff != "" {
				t.Errorf("the counts differ (-want +got):\n%s", diff)
			}
		})
	}
}
