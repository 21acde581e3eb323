package enrich_test

import (
	"testing"

	"github.com/trailship/trailship/pipeline/enrich"
	"github.com/trailship/trailship/test/standin"
)

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
			c := enrich.Default()
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
