//go:build servers

package servers_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/klauspost/compress/gzip"

	"github.com/trailship/trailship/test/servers"
)

// Accounts of moto: its own, and two others.
const (
	ourAccount   = "123456789012"
	otherAccount = "222222222222"
	thirdAccount = "333333333333"
)

// A caller is who is behind a record, and what its document has of it.
type caller struct {
	name     string // also the record's eventID
	identity string // of the record
	kind     string // user or role; "": no tags
	path     string
	tags     []string // sorted
}

// session is the identity of a role's session.
func session(account, path, role string) string {
	return fmt.Sprintf(`"type":"AssumedRole","principalId":"AROA:s","accountId":%q,"arn":"arn:aws:sts::%[1]s:assumed-role/%[3]s/s",`+
		`"sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA","arn":"arn:aws:iam::%[1]s:role%[2]s%[3]s","accountId":%[1]q,"userName":%[3]q}}`,
		account, path, role)
}

func callers() []caller {
	const sso, linked = "/aws-reserved/sso.amazonaws.com/eu-west-1/", "/aws-service-role/ecs.amazonaws.com/"
	person := func(account, name string) string {
		return fmt.Sprintf(`"type":"IAMUser","accountId":%q,"arn":"arn:aws:iam::%[1]s:user/%s","userName":%[2]q`, account, name)
	}
	return []caller{
		{"user", person(ourAccount, "alice"), "user", "/people/", []string{"cost.center=42", "team=payments"}},
		{"user-elsewhere", person(otherAccount, "bob"), "user", "/", []string{"team=risk"}},
		{"role", session(ourAccount, "/ci/", "Deploy"), "role", "/ci/", []string{"cost.center=7", "team=build"}},
		{"role-elsewhere", session(thirdAccount, "/", "Audit"), "role", "/", []string{"team=audit"}},
		{"sso", session(ourAccount, sso, "AWSReservedSSO_Admin_0123456789abcdef"), "role", sso, []string{"team=admins"}},
		{"service-linked", session(ourAccount, linked, "AWSServiceRoleForECS"), "role", linked, nil},
		{
			"federated", `"type":"FederatedUser","accountId":"123456789012","arn":"arn:aws:sts::123456789012:federated-user/fred",` +
				`"sessionContext":{"sessionIssuer":{"type":"IAMUser","arn":"arn:aws:iam::123456789012:user/people/alice","accountId":"123456789012","userName":"alice"}}`,
			"user", "/people/",
			[]string{"cost.center=42", "team=payments"},
		},
		{"root", `"type":"Root","accountId":"123456789012","arn":"arn:aws:iam::123456789012:root"`, "", "", nil},
		{"service", `"type":"AWSService","invokedBy":"ecs.amazonaws.com"`, "", "", nil},
		{"account", `"type":"AWSAccount","accountId":"222222222222","principalId":"AIDAEXAMPLE"`, "", "", nil},
		{"hidden", `"type":"IAMUser","accountId":"123456789012","userName":"HIDDEN_DUE_TO_SECURITY_REASONS"`, "", "", nil},
		{"deleted", person(ourAccount, "gone"), "", "", nil},
	}
}

// testTags ships one record of each identity with tags from moto's IAM, and once more while IAM is away, for retag.
func (r *rig) testTags(t *testing.T, to sink) {
	t.Helper()
	r.people(t)
	trail, err := r.aws.NewTrail(t.Context(), "tags")
	if err != nil {
		t.Fatal(err)
	}
	file := r.callersFile(t)
	const settings = "enrich: {wait: 20s, iam_tags: {assume_role_name: ReadIAM}}"
	ship := func(name string, environ ...string) {
		path, admin := r.configure(t, trail, to, settings)
		cmd := r.command(t, to, "run", "--config", path)
		cmd.Env = append(cmd.Env, environ...)
		d := &daemon{Process: servers.Start(t, r.logs, name, cmd), admin: admin}
		if err := trail.Put(t.Context(), []string{file}); err != nil {
			t.Fatal(err)
		}
		untilEmpty(t, trail)
		d.stop(t)
	}

	ship("tags")
	t.Run("every identity has its tags", r.checkTags)
	t.Run("tags are found", r.checkTagSearches)
	r.forget(t)

	ship("tags-without-iam", "AWS_ENDPOINT_URL_IAM=http://127.0.0.1:1")
	t.Run("without IAM documents say so", func(t *testing.T) {
		if got := r.search(t, map[string]any{"size": 0, "query": term("tags", "_iam_unavailable")}).Hits.Total.Value; got != 8 {
			t.Errorf("got %d documents with the tag, want the 8 whose tags IAM has to be asked for", got)
		}
	})
	if r.cluster.Username != "" {
		admin := r.user(t, "retag")
		to = to.as(admin.Username, admin.Password)
	}
	path, _ := r.configure(t, trail, to, settings)
	for _, args := range [][]string{{"--dry-run"}, nil, nil} {
		cmd := r.command(t, to, append([]string{"retag", "--config", path, "--since", "876000h"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("retag %v: %v\n%s", args, err, out)
		}
		t.Logf("retag %v: %s", args, out[bytes.LastIndexByte(bytes.TrimSpace(out), '\n')+1:])
		r.refresh(t)
	}
	t.Run("retag fills them in", r.checkTags)
	t.Run("filled-in tags are found", r.checkTagSearches)
	r.forget(t)
}

func (r *rig) refresh(t *testing.T) {
	t.Helper()
	if err := r.cluster.Do(t.Context(), http.MethodPost, "/"+indices+"/_refresh", nil, nil); err != nil {
		t.Fatal(err)
	}
}

// people makes users and roles with tags in three accounts, and an organization.
func (r *rig) people(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	for account, names := range map[string][]string{
		ourAccount: {
			"user /people/ alice team=payments cost.center=42", "role /ci/ Deploy team=build cost.center=7",
			"role /aws-reserved/sso.amazonaws.com/eu-west-1/ AWSReservedSSO_Admin_0123456789abcdef team=admins",
			"role /aws-service-role/ecs.amazonaws.com/ AWSServiceRoleForECS",
		},
		otherAccount: {"user / bob team=risk", "role / ReadIAM"},
		thirdAccount: {"role / Audit team=audit", "role / ReadIAM"},
	} {
		client := iam.NewFromConfig(r.account(t, account))
		for _, line := range names {
			words := strings.Fields(line)
			var tags []types.Tag
			for _, tag := range words[3:] {
				key, value, _ := strings.Cut(tag, "=")
				tags = append(tags, types.Tag{Key: &key, Value: &value})
			}
			var err error
			if words[0] == "user" {
				_, err = client.CreateUser(ctx, &iam.CreateUserInput{Path: &words[1], UserName: &words[2], Tags: tags})
			} else {
				_, err = client.CreateRole(ctx, &iam.CreateRoleInput{
					Path: &words[1], RoleName: &words[2], Tags: tags, AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[]}`),
				})
			}
			if err != nil {
				t.Fatalf("making %s of %s: %v", line, account, err)
			}
		}
	}
	orgs := organizations.NewFromConfig(r.account(t, ourAccount))
	if _, err := orgs.CreateOrganization(ctx, &organizations.CreateOrganizationInput{FeatureSet: orgtypes.OrganizationFeatureSetAll}); err != nil {
		t.Fatal(err)
	}
}

// account is what clients need to work in an account of moto's: in another one than its own, as a role of it.
func (r *rig) account(t *testing.T, account string) aws.Config {
	t.Helper()
	c := aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(r.aws.Endpoint),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
	if account == ourAccount {
		return c
	}
	out, err := sts.NewFromConfig(c).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::" + account + ":role/admin"), RoleSessionName: aws.String("test"),
	})
	if err != nil {
		t.Fatal(err)
	}
	given := out.Credentials
	c.Credentials = credentials.NewStaticCredentialsProvider(*given.AccessKeyId, *given.SecretAccessKey, *given.SessionToken)
	return c
}

// callersFile writes a log file with a record of each caller.
func (r *rig) callersFile(t *testing.T) string {
	t.Helper()
	var records []string
	for _, c := range callers() {
		records = append(records, fmt.Sprintf(`{"eventVersion":"1.11","eventID":%q,"eventTime":"2023-07-10T12:00:00Z","eventSource":"s3.amazonaws.com",`+
			`"eventName":"ListBuckets","awsRegion":"us-east-1","recipientAccountId":%q,"userIdentity":{%s}}`, c.name, ourAccount, c.identity))
	}
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	fmt.Fprintf(zip, `{"Records":[%s]}`, strings.Join(records, ","))
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "218007301253_CloudTrail_us-east-1_20230710T1200Z_AbCdEfGhIjKlMnOp.json.gz")
	if err := os.WriteFile(file, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// who is what of a document says who it was.
type who struct {
	Tags  []string
	Cloud struct{ Account struct{ ID, Name string } }
	Org   struct{ ID string } `json:"organization"`
	AWS   struct {
		IAM map[string]struct {
			Path string
			Tags map[string]string
			Tag  []string
		}
	}
}

// checkTags compares what every document says of its caller with what moto's IAM has.
func (r *rig) checkTags(t *testing.T) {
	var answer struct {
		Hits struct {
			Hits []struct {
				ID     string          `json:"_id"`
				Source json.RawMessage `json:"_source"`
			}
		}
	}
	r.refresh(t)
	if err := r.cluster.Do(t.Context(), http.MethodPost, "/"+indices+"/_search", `{"size":100}`, &answer); err != nil {
		t.Fatal(err)
	}
	found := map[string]json.RawMessage{}
	for _, hit := range answer.Hits.Hits {
		found[hit.ID] = hit.Source
	}
	for _, c := range callers() {
		t.Run(c.name, func(t *testing.T) { c.check(t, found[c.name]) })
	}
}

func (c *caller) check(t *testing.T, source json.RawMessage) {
	t.Helper()
	var doc who
	if err := json.Unmarshal(source, &doc); err != nil {
		t.Fatalf("%v: %s", err, source)
	}
	if slices.Contains(doc.Tags, "_iam_unavailable") {
		t.Errorf("got tags %v", doc.Tags)
	}
	if doc.Cloud.Account.ID == ourAccount && (doc.Cloud.Account.Name != "master" || doc.Org.ID == "") {
		t.Errorf("got account %v of organization %q", doc.Cloud.Account, doc.Org.ID)
	}
	if c.kind == "" {
		if len(doc.AWS.IAM) > 0 {
			t.Errorf("got %v, want no tags", doc.AWS.IAM)
		}
		return
	}
	got := doc.AWS.IAM[c.kind]
	if got.Path != c.path || !slices.Equal(got.Tag, c.tags) || len(got.Tags) != len(c.tags) {
		t.Errorf("got %+v, want path %s and tags %v", got, c.path, c.tags)
	}
	for _, tag := range c.tags {
		if key, value, _ := strings.Cut(tag, "="); got.Tags[key] != value {
			t.Errorf("got %v, want %s in it", got.Tags, tag)
		}
	}
}

// checkTagSearches finds documents by the object of tags and by the list, by keys with dots too, and counts by the list.
func (r *rig) checkTagSearches(t *testing.T) {
	for _, tt := range []struct {
		field, value string
		want         int
	}{
		{"aws.iam.user.tags.team", "payments", 2},
		{"aws.iam.user.tags.cost.center", "42", 2},
		{"aws.iam.role.tags.team", "build", 1},
		{"aws.iam.role.tags.cost.center", "7", 1},
		{"aws.iam.user.tag", "team=payments", 2},
		{"aws.iam.user.tag", "cost.center=42", 2},
		{"aws.iam.role.tag", "cost.center=7", 1},
		{"aws.iam.user.path", "/people/", 2},
		{"aws.iam.user.tag", "team=build", 0},
		{"cloud.account.name", "master", 9},
	} {
		t.Run(tt.field+" "+tt.value, func(t *testing.T) {
			if got := r.search(t, map[string]any{"size": 0, "query": term(tt.field, tt.value)}).Hits.Total.Value; got != tt.want {
				t.Errorf("got %d documents, want %d", got, tt.want)
			}
		})
	}
	var counted struct {
		Aggregations struct {
			Tags struct {
				Buckets []struct {
					Key   string
					Count int `json:"doc_count"`
				}
			}
		}
	}
	const ask = `{"size":0,"aggs":{"tags":{"terms":{"field":"aws.iam.user.tag"}}}}`
	if err := r.cluster.Do(t.Context(), http.MethodPost, "/"+indices+"/_search", ask, &counted); err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, b := range counted.Aggregations.Tags.Buckets {
		got[b.Key] = b.Count
	}
	if got["team=payments"] != 2 || got["cost.center=42"] != 2 || got["team=risk"] != 1 || len(got) != 3 {
		t.Errorf("counted by tag: got %v", got)
	}
}
