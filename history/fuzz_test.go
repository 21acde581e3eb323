package history_test

import (
	"slices"
	"testing"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// Whatever a record holds, what is shown of it can be searched for.
func FuzzDescribe(f *testing.F) {
	for _, seed := range []string{
		`{}`,
		`{"eventName":"ConsoleLogin","responseElements":{"ConsoleLogin":"Failure"},"userIdentity":{"type":"Root"}}`,
		`{"userIdentity":{"type":"AssumedRole","principalId":"A:b","arn":"arn:aws:sts::1:assumed-role/R/","sessionContext":{"attributes":{"creationDate":"x"}}}}`,
		`{"eventSource":"ec2.amazonaws.com","eventName":"RunInstances","requestParameters":{"groupSet":{"items":[{"groupId":"sg-1"}]}},"resources":["arn:aws:s3:::a",{"ARN":"arn:a:b:c:d:"},{}]}`,
		`{"eventSource":"sts.amazonaws.com","errorCode":"AccessDenied","errorMessage":"on resource: arn:aws:iam::1:role/\u0000","requestParameters":[[["arn:::::"]]]}`,
		`{"userIdentity":7,"resources":{"arn":"\ud800"},"requestParameters":"x","readOnly":"TRUE","eventTime":"2026-11-21T10:00:00Z"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var r cloudtrail.Record
		if r.Parse(text) != nil {
			return
		}
		d := history.Describe(&r)
		if d.User != "" && !slices.Contains(d.Actors, d.User) {
			t.Errorf("user %q is not among the actors %q", d.User, d.Actors)
		}
		if slices.Contains(d.Actors, "") || slices.Contains(d.Names, "") {
			t.Errorf("got an empty name in %q or %q", d.Actors, d.Names)
		}
		for _, x := range d.Resources {
			if !slices.Contains(d.Names, x.Name) {
				t.Errorf("resource %q is not among %q", x.Name, d.Names)
			}
		}
	})
}
