package enrich_test

import (
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/trailship/trailship/test/standin"
)

// Names are kept across a restart in which AWS does not answer.
func TestAccounts_cacheFile(t *testing.T) {
	c := patient()
	c.IAMTags.Enabled, c.AccountNames.CacheFile = false, filepath.Join(t.TempDir(), "accounts.json")
	first := newRig(t, &standin.IAM{Own: ours, Organization: "o-1", Names: map[string]string{theirs: "audit"}}, c)
	first.document(t, userRecord(theirs, "a"))
	first.stop()
	away := &standin.IAM{Own: ours, Answer: func(standin.Call) (int, string, time.Duration) {
		return http.StatusServiceUnavailable, "ServiceUnavailable", 10 * time.Second
	}}
	second := newRig(t, away, c)
	began := time.Now()
	doc := second.document(t, userRecord(theirs, "a"))
	if got := at(doc, "cloud", "account", "name"); got != "audit" {
		t.Errorf("got %v after a restart, want audit", got)
	}
	if got := at(doc, "organization", "id"); got != "o-1" {
		t.Errorf("got organization %v after a restart, want o-1", got)
	}
	second.document(t, userRecord(ours, "a"))
	if took := time.Since(began); took > 8*time.Second { // the answer comes after ten
		t.Errorf("two events took %s: they waited for an answer", took)
	}
}

// noList is what Organizations says to members.
func noList(c standin.Call) (int, string, time.Duration) {
	if c.Action == "ListAccounts" {
		return http.StatusBadRequest, "AccessDeniedException", 0
	}
	return 0, "", 0
}

func TestAccounts(t *testing.T) {
	for _, tt := range []struct {
		name         string
		iam          *standin.IAM
		static       map[string]string
		record       string
		want, wantID any
	}{
		{
			"organization", &standin.IAM{Own: ours, Organization: "o-1", Names: map[string]string{ours: "main", theirs: "audit"}}, nil,
			userRecord(theirs, "a"), "audit", "o-1",
		},
		{
			"not in the organization", &standin.IAM{Own: ours, Organization: "o-1", Names: map[string]string{ours: "main"}}, nil,
			userRecord(theirs, "a"), nil, nil,
		},
		{"alias", &standin.IAM{Own: ours, Alias: "acme"}, nil, userRecord(ours, "a"), "acme", nil},
		{
			"a member, which may not list accounts", &standin.IAM{Own: ours, Organization: "o-1", Alias: "acme", Answer: noList}, nil,
			userRecord(ours, "a"), "acme", "o-1",
		},
		{
			"a member without an alias", &standin.IAM{Own: ours, Organization: "o-1", Answer: noList}, nil,
			userRecord(ours, "a"), nil, "o-1",
		},
		{"neither", &standin.IAM{Own: ours}, nil, userRecord(ours, "a"), nil, nil},
		{"static", &standin.IAM{Own: ours}, map[string]string{theirs: "sandbox"}, userRecord(theirs, "a"), "sandbox", nil},
		{
			"static before the organization", &standin.IAM{Own: ours, Organization: "o-1", Names: map[string]string{theirs: "audit"}},
			map[string]string{theirs: "sandbox"},
			userRecord(theirs, "a"), "sandbox", nil,
		},
		{
			"the recipient's account", &standin.IAM{Own: ours, Organization: "o-1", Names: map[string]string{ours: "main"}}, nil,
			`{"eventName":"X","recipientAccountId":"111122223333","userIdentity":{"type":"AWSService"}}`, "main", "o-1",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := patient()
			c.IAMTags.Enabled, c.AccountNames.Static = false, tt.static
			g := newRig(t, tt.iam, c)
			doc := g.document(t, tt.record)
			if got := at(doc, "cloud", "account", "name"); got != tt.want {
				t.Errorf("got cloud.account.name %v, want %v", got, tt.want)
			}
			if tt.static != nil {
				return // it does not wait for the organization
			}
			if got := at(doc, "organization", "id"); got != tt.wantID {
				t.Errorf("got organization.id %v, want %v", got, tt.wantID)
			}
		})
	}
}
