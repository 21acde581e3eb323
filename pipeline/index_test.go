package pipeline

import (
	"testing"
	"time"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

func TestNamer(t *testing.T) {
	for _, tt := range []struct{ name, pattern, record, want string }{
		{"fixed", "logs", `{"awsRegion":"eu-west-1"}`, "logs"},
		{"a day", "logs-{yyyy.MM.dd}", `{}`, "logs-2023.07.10"},
		{"account", "logs-{account}-{yyyy.MM}", `{"recipientAccountId":"111122223333"}`, "logs-111122223333-2023.07"},
		{"account of the user", "logs-{account}", `{"userIdentity":{"accountId":"111122223333"}}`, "logs-111122223333"},
		{"account of the object", "logs-{account}", `{}`, "logs-999988887777"},
		{"account and region", "logs-{account}-{region}-x", `{"recipientAccountId":"111122223333","awsRegion":"eu-west-1"}`, "logs-111122223333-eu-west-1-x"},
		{"a hostile account", "logs-{account}", `{"recipientAccountId":"../../_bulk12"}`, "logs-999988887777"},
		{"a hostile region", "logs-{region}", `{"awsRegion":"eu\",\"_id\":\"x"}`, "logs-unknown"},
		{"a region in capitals", "logs-{region}", `{"awsRegion":"EU-WEST-1"}`, "logs-unknown"},
		{"a long region", "logs-{region}", `{"awsRegion":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}`, "logs-unknown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := ParseIndexPattern(tt.pattern)
			if err != nil {
				t.Fatal(err)
			}
			r := cloudtrail.Record{Object: &cloudtrail.Object{KeyInfo: cloudtrail.KeyInfo{Account: "999988887777"}}}
			if err := r.Parse([]byte(tt.record)); err != nil {
				t.Fatal(err)
			}
			n := namer{pattern: p}
			for range 2 {
				if got := n.name(&r, time.Date(2023, 7, 10, 1, 2, 3, 0, time.UTC)); got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
			}
		})
	}
}

func TestIndexPattern_wildcard(t *testing.T) {
	for pattern, want := range map[string]string{
		"logs": "logs", "logs-{yyyy.MM.dd}": "logs-*", "a-{account}{region}-b-{yyyy}": "a-*-b-*",
	} {
		p, err := ParseIndexPattern(pattern)
		if err != nil || p.Wildcard() != want {
			t.Errorf("%s: got %s %v, want %s", pattern, p.Wildcard(), err, want)
		}
	}
	for _, pattern := range []string{"", "{account}", "a-{user}", "a-{yyyy}-{yyyy}", "a-{yyyy", "a-}", "A-{account}"} {
		if _, err := ParseIndexPattern(pattern); err == nil {
			t.Errorf("%q: got no error", pattern)
		}
	}
}
