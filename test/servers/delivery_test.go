//go:build servers

package servers_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testDelivery ships the samples, and once more.
func (r *rig) testDelivery(t *testing.T, to sink) {
	t.Helper()
	trail := r.trail(t, "delivery")
	d := r.run(t, "delivery", trail, to, "")
	untilEmpty(t, trail)
	t.Run("every event is there once", r.checkAllOnce)
	t.Run("its counts add up", func(t *testing.T) {
		n, got := len(r.samples.ids), d.records(t)
		twice := got["duplicate"] // moto, like SQS, may give a message to two receives at once
		want := map[string]int{"read": n + twice, "indexed": n, "duplicate": twice, "filtered": 0, "dead_letter": 0, "returned": 0, "in_flight": 0}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the counts differ (-want +got):\n%s", diff)
		}
	})
	t.Run("delivered again, no event is there twice", func(t *testing.T) {
		r.put(t, trail)
		untilEmpty(t, trail)
		r.checkAllOnce(t)
		if got, least := d.records(t)["duplicate"], len(r.samples.ids); got < least {
			t.Errorf("got %d duplicates, want %d or more", got, least)
		}
	})
	t.Run("the indices are plain and typed", r.checkMapping)
	t.Run("fields are found", r.checkSearches)
	t.Run("it is ready and ends well", func(t *testing.T) {
		if code, text, err := d.get(t.Context(), "/readyz"); err != nil || code != http.StatusOK {
			t.Errorf("got readiness %d %s %v, want 200", code, text, err)
		}
		d.stop(t)
	})
	r.forget(t)
}

// checkMapping checks that the template was applied before the first document came.
func (r *rig) checkMapping(t *testing.T) {
	flat := "flat_object"
	if r.cluster.Name == "elasticsearch" {
		flat = "flattened"
	}
	found := r.indices(t)
	var names []string
	for name, index := range found {
		names = append(names, name)
		if index.Mappings.Dynamic != "false" {
			t.Errorf("%s: got dynamic %v, want false", name, index.Mappings.Dynamic)
		}
		for field, want := range map[string]string{
			"@timestamp": "date", "source.ip": "ip", "event.id": "keyword",
			"aws.cloudtrail.flattened.request_parameters": flat,
		} {
			if got := typeOf(index.Mappings.Properties, field); got != want {
				t.Errorf("%s: got type %q of %s, want %s", name, got, field, want)
			}
		}
	}
	// A data stream would answer with the names of its backing indices.
	if diff := cmp.Diff([]string{"logs-aws.cloudtrail-trailship-2023.07.10"}, names); diff != "" {
		t.Errorf("the indices differ (-want +got):\n%s", diff)
	}
}

// typeOf is the type of a field by its whole name, "" where there is none.
func typeOf(properties map[string]property, field string) string {
	var p property
	for part := range strings.SplitSeq(field, ".") {
		p = properties[part]
		properties = p.Properties
	}
	return p.Type
}

// checkSearches looks for what the samples are known to hold.
func (r *rig) checkSearches(t *testing.T) {
	tenMinutes := map[string]string{"gte": "2023-07-10T12:00:00Z", "lt": "2023-07-10T12:10:00Z"}
	tests := []struct {
		name  string
		query map[string]any
		want  int
	}{
		{"by account", term("aws.cloudtrail.recipient_account_id", "123837392027"), 2122},
		{"by time", map[string]any{"range": map[string]any{"@timestamp": tenMinutes}}, 720},
		{"by action", term("event.action", "Decrypt"), 161},
		{"by service", term("event.provider", "iam.amazonaws.com"), 276},
		{"by error", term("aws.cloudtrail.error_code", "AccessDenied"), 12},
		{"by network", term("source.ip", "0.0.0.0/0"), 1838}, // all others are names of services
		{
			"inside of a free-form object",
			term("aws.cloudtrail.flattened.request_parameters.bucketName", "stratus-red-team-ctlr-bucket-zqfsvooxqj"), 27,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := r.search(t, map[string]any{"size": 0, "query": tt.query}).Hits.Total.Value; got != tt.want {
				t.Errorf("got %d documents, want %d", got, tt.want)
			}
		})
	}
}

func term(field, value string) map[string]any {
	return map[string]any{"term": map[string]string{field: value}}
}
