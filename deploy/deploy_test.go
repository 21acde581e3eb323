// Package deploy_test compares what deploy grants with what the code does.
package deploy_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// actions are the rights behind the calls of the SDK.
var actions = map[string]string{
	"sqs.ReceiveMessage":                 "sqs:ReceiveMessage",
	"sqs.DeleteMessageBatch":             "sqs:DeleteMessage",
	"sqs.ChangeMessageVisibilityBatch":   "sqs:ChangeMessageVisibility",
	"s3.GetObject":                       "s3:GetObject",
	"s3.HeadBucket":                      "s3:ListBucket",
	"s3.PutObject":                       "s3:PutObject",
	"s3.DeleteObject":                    "s3:DeleteObject",
	"s3.ListObjectsV2":                   "s3:ListBucket",
	"sqs.SendMessage":                    "sqs:SendMessage",
	"sqs.DeleteMessage":                  "sqs:DeleteMessage",
	"sqs.GetQueueAttributes":             "sqs:GetQueueAttributes",
	"sqs.StartMessageMoveTask":           "sqs:StartMessageMoveTask",
	"sqs.ListMessageMoveTasks":           "sqs:ListMessageMoveTasks",
	"sqs.CancelMessageMoveTask":          "sqs:CancelMessageMoveTask",
	"sqs.ListDeadLetterSourceQueues":     "sqs:ListDeadLetterSourceQueues",
	"iam.GetUser":                        "iam:GetUser",
	"iam.GetRole":                        "iam:GetRole",
	"iam.GetAccountAuthorizationDetails": "iam:GetAccountAuthorizationDetails",
	"iam.ListAccountAliases":             "iam:ListAccountAliases",
	"organizations.DescribeOrganization": "organizations:DescribeOrganization",
	"organizations.ListAccounts":         "organizations:ListAccounts",
	"sts.GetCallerIdentity":              "", // whoever has credentials may call it
}

// everywhere are actions that AWS grants on all resources or none.
// Source: "Actions, resources, and condition keys" for IAM and for Organizations, Service Authorization Reference.
var everywhere = []string{
	"iam:GetAccountAuthorizationDetails", "iam:ListAccountAliases", "organizations:DescribeOrganization", "organizations:ListAccounts",
}

// replaying reports whether only trailship replay makes the calls of a file.
func replaying(path string) bool {
	return slices.Contains([]string{"redrive.go", "s3shelf.go"}, filepath.Base(path))
}

// enriching reports whether the calls of a file are those of the section enrich, which can be done without.
func enriching(path string) bool { return filepath.Base(filepath.Dir(path)) == "enrich" }

func TestPolicy_grantsWhatTheCodeCalls(t *testing.T) {
	// S3 and SQS ask KMS in the caller's name: to decrypt what is read, for a key of what is written.
	for _, policy := range []struct {
		file   string
		files  func(path string) bool
		beside []string
	}{
		{"iam/policy.json", func(path string) bool { return !enriching(path) && !replaying(path) }, []string{"kms:Decrypt"}},
		{"iam/replay-policy.json", replaying, []string{"kms:Decrypt", "kms:GenerateDataKey"}},
		{"iam/enrich-policy.json", enriching, nil},
	} {
		t.Run(policy.file, func(t *testing.T) {
			want := policy.beside
			for call := range calls(t, policy.files, "../pipeline", "../sinks", "../cmd", "../config") {
				action, ok := actions[call]
				if !ok {
					t.Errorf("the code calls %s: add its right to %s and to this test", call, policy.file)
				}
				if action != "" {
					want = append(want, action)
				}
			}
			slices.Sort(want)
			if diff := cmp.Diff(slices.Compact(want), granted(t, policy.file)); diff != "" {
				t.Errorf("the actions differ (-code +policy):\n%s", diff)
			}
		})
	}
}

// granted are the actions that a policy allows, each on something.
func granted(t *testing.T, file string) []string {
	t.Helper()
	var policy struct {
		Statement []struct {
			Effect           string
			Resource, Action any // one or several
		}
	}
	read(t, file, &policy)
	var got []string
	for _, s := range policy.Statement {
		actions, resources := several(s.Action), several(s.Resource)
		anywhere := !slices.ContainsFunc(actions, func(a string) bool { return !slices.Contains(everywhere, a) })
		if s.Effect != "Allow" || len(resources) == 0 || slices.Contains(resources, "*") != anywhere {
			t.Errorf("%v: want Allow, on * only where AWS knows nothing narrower, got %s on %q", actions, s.Effect, resources)
		}
		got = append(got, actions...)
	}
	slices.Sort(got)
	return slices.Compact(got)
}

// several is what a policy has where one string may stand for a list of one.
func several(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, one := range v {
			all = append(all, one.(string))
		}
		return all
	}
	return nil
}

// calls are the operations whose input the code builds in these files, such as s3.GetObject.
func calls(t *testing.T, in func(file string) bool, folders ...string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	visit := func(n ast.Node) bool {
		literal, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		if sel, ok := literal.Type.(*ast.SelectorExpr); ok {
			pkg, _ := sel.X.(*ast.Ident)
			name, isInput := strings.CutSuffix(sel.Sel.Name, "Input")
			if isInput && pkg != nil && slices.Contains([]string{"sqs", "s3", "sts", "iam", "organizations"}, pkg.Name) {
				found[pkg.Name+"."+name] = true
			}
		}
		return true
	}
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") || !in(path) {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err == nil {
				ast.Inspect(file, visit)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// TestRoles_nameTheSameIndices keeps the roles of both engines in step: only OpenSearch's are tried on a server.
func TestRoles_nameTheSameIndices(t *testing.T) {
	for _, name := range []string{"writer", "setup", "replay", "reader"} {
		t.Run(name, func(t *testing.T) {
			var os struct {
				Cluster []string `json:"cluster_permissions"`
				Index   []struct {
					Patterns []string `json:"index_patterns"`
					Actions  []string `json:"allowed_actions"`
				} `json:"index_permissions"`
			}
			read(t, "opensearch/"+name+"-role.json", &os)
			var es struct {
				Cluster []string `json:"cluster"`
				Indices []struct {
					Names      []string `json:"names"`
					Privileges []string `json:"privileges"`
				} `json:"indices"`
			}
			read(t, "elasticsearch/"+name+"-role.json", &es)
			if len(os.Index) != 1 || len(es.Indices) != 1 {
				t.Fatalf("got %d and %d sets of indices, want one each", len(os.Index), len(es.Indices))
			}
			if diff := cmp.Diff(os.Index[0].Patterns, es.Indices[0].Names); diff != "" {
				t.Errorf("the indices differ (-opensearch +elasticsearch):\n%s", diff)
			}
		})
	}
}

// read decodes a JSON file.
func read(t *testing.T, path string, into any) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := json.NewDecoder(f).Decode(into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
