package enrich_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/pipeline/enrich"
	"github.com/trailship/trailship/test/standin"
)

func issuer(account, typ, name string) string {
	return `"sessionContext":{"sessionIssuer":{"type":"` + typ + `","principalId":"A","arn":"arn:aws:iam::` + account + `:role/` + name +
		`","accountId":"` + account + `","userName":"` + name + `"}}`
}

func sampleIAM() *standin.IAM {
	s := &standin.IAM{Own: ours}
	s.Put(ours, "user/alice", standin.Principal{Path: "/people/", Tags: map[string]string{"team": "payments", "cost.center": "42", "..odd": "x"}})
	s.Put(ours, "role/Deploy", standin.Principal{Tags: map[string]string{"team": "build"}})
	s.Put(ours, "role/AWSReservedSSO_Admin_0123456789abcdef", standin.Principal{Path: "/aws-reserved/sso.amazonaws.com/", Tags: map[string]string{"team": "admins"}})
	s.Put(ours, "role/AWSServiceRoleForECS", standin.Principal{Path: "/aws-service-role/ecs.amazonaws.com/"})
	s.Put(theirs, "role/Audit", standin.Principal{Tags: map[string]string{"team": "audit"}})
	return s
}

// Every type of identity that CloudTrail writes: whose tags its document has, and whether IAM was asked.
func TestTags_identities(t *testing.T) {
	c := tagsOnly()
	c.IAMTags.AssumeRoleName = "ReadIAM"
	g := newRig(t, sampleIAM(), c)
	for _, tt := range []struct{ name, identity, key, want string }{
		{"IAMUser", `"type":"IAMUser","accountId":"111122223333","userName":"alice"`, "user", "team=payments"},
		{"IAMUser, the name in the ARN", `"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/people/alice"`, "user", "team=payments"},
		{"AssumedRole", `"type":"AssumedRole","accountId":"111122223333",` + issuer(ours, "Role", "Deploy"), "role", "team=build"},
		{"AssumedRole, by the session alone", `"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/Deploy/session"`, "role", "team=build"},
		{"AssumedRole, the name in the issuer's ARN", `"type":"AssumedRole","sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::111122223333:role/ci/Deploy"}}`, "role", "team=build"},
		{"AssumedRole, an issuer of no use", `"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/Deploy/s","sessionContext":{"sessionIssuer":{"type":"Role","arn":"x"}}`, "role", "team=build"},
		{"AssumedRole of single sign-on", `"type":"AssumedRole",` + issuer(ours, "Role", "AWSReservedSSO_Admin_0123456789abcdef"), "role", "team=admins"},
		{"AssumedRole of a service", `"type":"AssumedRole",` + issuer(ours, "Role", "AWSServiceRoleForECS"), "role", ""},
		{"AssumedRole of another account", `"type":"AssumedRole",` + issuer(theirs, "Role", "Audit"), "role", "team=audit"},
		{"FederatedUser of a user", `"type":"FederatedUser","accountId":"111122223333",` + issuer(ours, "IAMUser", "alice"), "user", "team=payments"},
		{"FederatedUser of a user named by its ARN", `"type":"FederatedUser","sessionContext":{"sessionIssuer":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/people/alice"}}`, "user", "team=payments"},
		{"FederatedUser of a role", `"type":"FederatedUser","accountId":"111122223333",` + issuer(ours, "Role", "Deploy"), "role", "team=build"},
		{"FederatedUser of the root user", `"type":"FederatedUser","accountId":"111122223333",` + issuer(ours, "Root", ""), "", ""},
		{"Root", `"type":"Root","accountId":"111122223333","arn":"arn:aws:iam::111122223333:root"`, "", ""},
		{"AWSService", `"type":"AWSService","invokedBy":"ecs.amazonaws.com"`, "", ""},
		{"AWSAccount", `"type":"AWSAccount","accountId":"444455556666","principalId":"AIDA"`, "", ""},
		{"SAMLUser", `"type":"SAMLUser","userName":"alice"`, "", ""},
		{"WebIdentityUser", `"type":"WebIdentityUser","userName":"alice"`, "", ""},
		{"IdentityCenterUser", `"type":"IdentityCenterUser","accountId":"111122223333"`, "", ""},
		{"Directory", `"type":"Directory","userName":"alice","accountId":"111122223333"`, "", ""},
		{"Role", `"type":"Role","accountId":"111122223333","arn":"arn:aws:iam::111122223333:role/ci/Deploy"`, "role", "team=build"},
		{"Unknown", `"type":"Unknown"`, "", ""},
		{"a hidden name", `"type":"IAMUser","accountId":"111122223333","userName":"HIDDEN_DUE_TO_SECURITY_REASONS"`, "", ""},
		{"a name that cannot be one", `"type":"IAMUser","accountId":"111122223333","userName":"a b"`, "", ""},
		{"an account that cannot be one", `"type":"IAMUser","accountId":"1","userName":"alice"`, "", ""},
		{"deleted", `"type":"IAMUser","accountId":"111122223333","userName":"gone"`, "", ""},
		{"no type", `"userName":"alice"`, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := g.document(t, `{"eventName":"X","userIdentity":{`+tt.identity+`}}`)
			if tags := fmt.Sprint(doc["tags"]); strings.Contains(tags, enrich.Unavailable) {
				t.Errorf("got tags %s", tags)
			}
			if tt.key == "" {
				if got := at(doc, "aws", "iam"); got != nil {
					t.Errorf("got %v, want nothing", got)
				}
				return
			}
			list, _ := at(doc, "aws", "iam", tt.key, "tag").([]any)
			if got := slices.Contains(list, any(tt.want)); got != (tt.want != "") {
				t.Errorf("got %v, want %q in it", list, tt.want)
			}
			if at(doc, "aws", "iam", tt.key, "path") == nil {
				t.Error("got no path")
			}
		})
	}
}

var update = flag.Bool("update", false, "write the golden documents anew")

// A document of each identity, tagged, as the documentation shows them.
func TestTags_documents(t *testing.T) {
	c := patient()
	c.IAMTags.AssumeRoleName, c.IAMTags.Map = "ReadIAM", map[string]string{"team": "user.group.name"}
	iam := sampleIAM()
	iam.Organization, iam.Names = "o-exampleorg", map[string]string{ours: "production", theirs: "audit"}
	g := newRig(t, iam, c)
	var got bytes.Buffer
	for i, identity := range []string{
		`"type":"IAMUser","principalId":"AIDAEXAMPLE","arn":"arn:aws:iam::111122223333:user/people/alice","accountId":"111122223333","accessKeyId":"AKIAEXAMPLE","userName":"alice"`,
		`"type":"AssumedRole","principalId":"A:ci","arn":"arn:aws:sts::111122223333:assumed-role/Deploy/ci","accountId":"111122223333",` + issuer(ours, "Role", "Deploy"),
		`"type":"AssumedRole","principalId":"A:eve@example.com","arn":"arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/eve@example.com","accountId":"111122223333",` +
			issuer(ours, "Role", "AWSReservedSSO_Admin_0123456789abcdef"),
		`"type":"AssumedRole","principalId":"A:ECS","arn":"arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForECS/ECS","accountId":"111122223333","invokedBy":"ecs.amazonaws.com",` +
			issuer(ours, "Role", "AWSServiceRoleForECS"),
		`"type":"AssumedRole","principalId":"A:s","arn":"arn:aws:sts::444455556666:assumed-role/Audit/s","accountId":"444455556666",` + issuer(theirs, "Role", "Audit"),
		`"type":"FederatedUser","principalId":"111122223333:fred","arn":"arn:aws:sts::111122223333:federated-user/fred","accountId":"111122223333",` +
			strings.Replace(issuer(ours, "IAMUser", "alice"), ":role/", ":user/people/", 1),
		`"type":"Root","principalId":"111122223333","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333"`,
		`"type":"AWSService","invokedBy":"ecs.amazonaws.com"`,
		`"type":"AWSAccount","principalId":"AIDAEXAMPLE","accountId":"444455556666"`,
		`"type":"IAMUser","principalId":"","accountId":"111122223333","accessKeyId":"","userName":"HIDDEN_DUE_TO_SECURITY_REASONS"`,
		`"type":"IAMUser","principalId":"AIDAGONE","arn":"arn:aws:iam::111122223333:user/gone","accountId":"111122223333","userName":"gone"`,
	} {
		doc := g.document(t, fmt.Sprintf(`{"eventVersion":"1.11","eventID":"%d","eventTime":"2026-01-02T03:04:05Z","eventSource":"s3.amazonaws.com","eventName":"ListBuckets",`+
			`"awsRegion":"eu-west-1","userAgent":"Boto3/1.35.50","recipientAccountId":"111122223333","userIdentity":{%s}}`, i, identity))
		delete(at(doc, "event").(map[string]any), "created")
		delete(at(doc, "event").(map[string]any), "ingested")
		line, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		got.Write(append(line, '\n'))
	}
	const golden = "testdata/identities.ndjson"
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("(-want +got; write them anew with -update):\n%s", diff)
	}
}

func TestTags_fields(t *testing.T) {
	c := tagsOnly()
	c.IAMTags.Map = map[string]string{"team": "user.group.name", "cost.center": "labels.cost_center"}
	g := newRig(t, sampleIAM(), c)
	doc := g.document(t, userRecord(ours, "alice"))
	want := map[string]any{
		"path": "/people/",
		"tags": map[string]any{"team": "payments", "cost.center": "42", "__odd": "x"},
		"tag":  []any{"..odd=x", "cost.center=42", "team=payments"},
	}
	if diff := cmp.Diff(want, at(doc, "aws", "iam", "user")); diff != "" {
		t.Error(diff)
	}
	if got := at(doc, "user", "group", "name"); got != "payments" {
		t.Errorf("got user.group.name %v, want payments", got)
	}
	if got := at(doc, "labels", "cost_center"); got != "42" {
		t.Errorf("got labels.cost_center %v, want 42", got)
	}
}

func TestTags_privacy(t *testing.T) {
	c := tagsOnly()
	c.IAMTags.Include, c.IAMTags.Exclude = []string{"team", "cost.*"}, []string{"*.center"}
	g := newRig(t, sampleIAM(), c)
	doc := g.document(t, userRecord(ours, "alice"))
	if diff := cmp.Diff([]any{"team=payments"}, at(doc, "aws", "iam", "user", "tag")); diff != "" {
		t.Error(diff)
	}
}

// What goes wrong with IAM, and that it is said once with what to do.
func TestTags_unavailable(t *testing.T) {
	for _, tt := range []struct {
		name, code, cure string
		status           int
		delay            time.Duration
	}{
		{"AccessDenied", "AccessDenied", "iam:GetUser", http.StatusForbidden, 0},
		{"Throttling", "Throttling", "tried again", http.StatusBadRequest, 0},
		{"outage", "ServiceFailure", "tried again", http.StatusInternalServerError, 0},
		{"slow", "", "", 0, 10 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			iam := sampleIAM()
			iam.Answer = func(c standin.Call) (int, string, time.Duration) {
				if c.Service != "iam" {
					return 0, "", 0
				}
				return tt.status, tt.code, tt.delay
			}
			c := tagsOnly()
			c.Wait = 2 * time.Second
			g := newRig(t, iam, c)
			start := time.Now()
			for range 20 {
				doc := g.document(t, userRecord(ours, "alice"))
				if tags := fmt.Sprint(doc["tags"]); !strings.Contains(tags, enrich.Unavailable) {
					t.Errorf("got tags %s, want %s among them", tags, enrich.Unavailable)
				}
			}
			if took := time.Since(start); took > 20*time.Second { // 40 one by one
				t.Errorf("20 events took %s: they waited one by one", took)
			}
			if tt.cure == "" {
				return
			}
			said := g.said("iam cannot be asked")
			if len(said) != 1 || !strings.Contains(fmt.Sprint(said[0].ContextMap()["cure"]), tt.cure) {
				t.Errorf("got log lines %v, want one with %q", said, tt.cure)
			}
		})
	}
}

// Tag changes in the stream itself count at once.
func TestTags_follow(t *testing.T) {
	iam := sampleIAM()
	g := newRig(t, iam, tagsOnly())
	team := func() any { return at(g.document(t, userRecord(ours, "alice")), "aws", "iam", "user", "tags", "team") }
	if got := team(); got != "payments" {
		t.Fatalf("got %v, want payments", got)
	}
	iam.Put(ours, "user/alice", standin.Principal{Tags: map[string]string{"team": "risk"}})
	if got := team(); got != "payments" {
		t.Errorf("got %v before the event, want payments", got)
	}
	event := `{"eventSource":"iam.amazonaws.com","eventName":"TagUser","recipientAccountId":"111122223333","requestParameters":{"userName":"alice"},"userIdentity":{"type":"Root"}}`
	g.document(t, event)
	if got := team(); got != "risk" {
		t.Errorf("got %v after TagUser, want risk", got)
	}
	iam.Delete(ours, "user/alice")
	g.document(t, strings.Replace(event, "TagUser", "DeleteUser", 1))
	if got := team(); got != nil {
		t.Errorf("got %v after DeleteUser, want nothing", got)
	}
	iam.Put(ours, "user/alice", standin.Principal{Tags: map[string]string{"team": "new"}})
	g.document(t, strings.Replace(event, "TagUser", "CreateUser", 1))
	if got := team(); got != "new" {
		t.Errorf("got %v after CreateUser, want new", got)
	}
}

// Other accounts are left alone where no role is named.
func TestTags_foreign(t *testing.T) {
	iam := sampleIAM()
	g := newRig(t, iam, tagsOnly())
	for _, when := range []string{"before our own account is known", "afterwards"} {
		doc := g.document(t, userRecord(theirs, "bob"))
		if got := fmt.Sprint(doc["tags"]); strings.Contains(got, enrich.Unavailable) {
			t.Errorf("%s: got tags %s", when, got)
		}
		g.document(t, userRecord(ours, "alice"))
	}
	if n := g.logs.FilterMessageSnippet("iam cannot be asked").Len(); n > 0 {
		t.Errorf("got %d log lines about an account that is not to be asked", n)
	}
	if n := len(iam.Calls("sts")); n != 1 {
		t.Errorf("got %d calls of STS, want 1", n)
	}
}

// An account whose role may not be assumed is said with that right, once for its users and roles together, and is no
// trouble to the others.
func TestTags_assumeRoleDenied(t *testing.T) {
	iam := sampleIAM()
	iam.Answer = func(c standin.Call) (int, string, time.Duration) {
		if c.Action == "AssumeRole" {
			return http.StatusForbidden, "AccessDenied", 0
		}
		return 0, "", 0
	}
	c := tagsOnly()
	c.IAMTags.AssumeRoleName = "ReadIAM"
	g := newRig(t, iam, c)
	for range 5 {
		for _, text := range []string{userRecord(theirs, "bob"), `{"userIdentity":{"type":"AssumedRole",` + issuer(theirs, "Role", "Audit") + `}}`} {
			if tags := fmt.Sprint(g.document(t, text)["tags"]); !strings.Contains(tags, enrich.Unavailable) {
				t.Errorf("got tags %s, want %s among them", tags, enrich.Unavailable)
			}
		}
		if got := at(g.document(t, userRecord(ours, "alice")), "aws", "iam", "user", "tags", "team"); got != "payments" {
			t.Errorf("got %v for our own account, want payments", got)
		}
	}
	said := g.said("iam cannot be asked")
	if len(said) != 1 || !strings.Contains(fmt.Sprint(said[0].ContextMap()["cure"]), "sts:AssumeRole on the role of account "+theirs) {
		t.Errorf("got log lines %v, want one with sts:AssumeRole", said)
	}
}

func TestTags_cacheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "iam.json")
	c := tagsOnly()
	c.IAMTags.CacheFile = file
	first := newRig(t, sampleIAM(), c)
	first.document(t, userRecord(ours, "alice"))
	first.stop()
	text, err := os.ReadFile(file)
	if err != nil || !json.Valid(text) {
		t.Fatalf("got %s, %v", text, err)
	}
	gone := &standin.IAM{Own: ours, Answer: func(standin.Call) (int, string, time.Duration) {
		return http.StatusServiceUnavailable, "ServiceUnavailable", 0
	}}
	second := newRig(t, gone, c)
	if got := at(second.document(t, userRecord(ours, "alice")), "aws", "iam", "user", "tags", "team"); got != "payments" {
		t.Errorf("got %v after a restart without IAM, want payments", got)
	}
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	third := newRig(t, sampleIAM(), c)
	if got := at(third.document(t, userRecord(ours, "alice")), "aws", "iam", "user", "tags", "team"); got != "payments" {
		t.Errorf("got %v with a broken file, want payments", got)
	}
}

// 100,000 records of 500 principals: how often IAM is asked, with and without the right to list. In short form of 8, since they take real time: TestTagger_calls has them all.
func TestTags_calls(t *testing.T) {
	principals := 8
	if os.Getenv("TRAILSHIP_TEST_FULL") != "" {
		principals = 500 // 500 lookups at five a second take 100 seconds
	}
	for _, may := range []bool{true, false} {
		t.Run(fmt.Sprintf("listing %t", may), func(t *testing.T) {
			iam := &standin.IAM{Own: ours}
			iam.Answer = func(c standin.Call) (int, string, time.Duration) {
				if !may && c.Action == "GetAccountAuthorizationDetails" {
					return http.StatusForbidden, "AccessDenied", 0
				}
				return 0, "", 0
			}
			for i := range principals {
				iam.Put(ours, fmt.Sprintf("user/u%d", i), standin.Principal{Tags: map[string]string{"n": strconv.Itoa(i)}})
			}
			g := newRig(t, iam, tagsOnly())
			began := time.Now()
			for i := range 200 * principals {
				g.document(t, userRecord(ours, fmt.Sprintf("u%d", i%principals)))
			}
			took, calls := time.Since(began), len(iam.Calls("iam"))
			if most := principals + principals/5; calls > most {
				t.Errorf("got %d calls, want at most %d", calls, most)
			}
			if most := 1 + int(5*took.Seconds()); calls > most {
				t.Errorf("got %d calls in %s, want at most five a second", calls, took)
			}
			t.Logf("%d calls in %s", calls, took)
		})
	}
}
