package historytest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/history"
)

// Suite runs the promise on a search over exactly Records.
func Suite(t *testing.T, s history.Search) {
	t.Helper()
	t.Run("questions", func(t *testing.T) { testQuestions(t, s) })
	t.Run("queries", func(t *testing.T) { testQueries(t, s) })
	t.Run("chain", func(t *testing.T) { testChain(t, s) })
	t.Run("pages", func(t *testing.T) { testPages(t, s) })
	t.Run("counts", func(t *testing.T) { testCounts(t, s) })
	t.Run("event", func(t *testing.T) { testEvent(t, s) })
	t.Run("wrong", func(t *testing.T) { testWrong(t, s) })
}

// ids finds all events of a query, the newest first.
func ids(t *testing.T, s history.Search, q history.Query) []string {
	t.Helper()
	q.Limit = history.MaxLimit
	page, err := s.Events(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if page.Next != "" {
		t.Errorf("got a next page of %d events", len(page.Events))
	}
	found := make([]string, len(page.Events))
	for i := range page.Events {
		found[i] = page.Events[i].ID
	}
	return found
}

// sorted is a set of ids as a text.
func sorted(ids []string) string {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

// testQuestions asks every question: each must find what is listed here and nothing else of the cast.
func testQuestions(t *testing.T, s history.Search) {
	t.Helper()
	want := map[string]string{
		"failed-logins":      "login-failed login-hidden",
		"logins":             "login-federated login-mfa login-plain login-root",
		"logins-without-mfa": "login-plain",
		"federated-logins":   "login-federated",
		"other-sign-ins":     "check-mfa",
		"calls-without-mfa": "attach-admin bucket-policy console-key create-key create-user delete-failed delete-trail denied-s3 " +
			"get-secret list-secrets open-group share-snapshot",
		"root":            "login-root root-call",
		"denied":          "denied-ec2 denied-s3",
		"cross-account":   "account-other",
		"deletions":       "close-group delete-key delete-trail expiry no-read-only terminate",
		"new-credentials": "create-key create-user",
		"more-rights":     "attach-admin attach-other put-policy",
		"administrators":  "attach-admin",
		"security-groups": "close-group open-group open-six own-group",
		"open-to-all":     "open-group open-six",
		"log-tampering":   "delete-failed delete-trail",
		"secrets-read":    "decrypt get-secret",
		"shared":          "add-permission bucket-policy share-snapshot",
		"first-calls": "account-other add-permission assume-admin assume-bob attach-admin attach-other bucket-policy check-mfa console-key " +
			"create-key create-user delete-failed delete-key delete-trail denied-ec2 denied-s3 expiry get-secret hostile list-secrets " +
			"login-failed login-federated login-hidden login-mfa login-root no-read-only open-group own-group close-group put-policy " +
			"read-groups root-call schedule-run share-snapshot terminate throttled transfer-user unshare-snapshot",
		"first-addresses": "account-other assume-admin assume-bob denied-ec2 login-failed login-federated login-hidden login-root",
		"first-regions":   "account-other assume-admin assume-bob denied-ec2 login-failed login-federated login-hidden login-root",
	}
	for _, q := range history.Questions() {
		t.Run(q.Name, func(t *testing.T) {
			expected, ok := want[q.Name]
			if !ok {
				t.Fatal("the suite does not know this question")
			}
			if diff := cmp.Diff(strings.Fields(sorted(strings.Fields(expected))), strings.Fields(sorted(ids(t, s, q.Query)))); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func is(a history.Attribute, values ...string) history.Filter {
	return history.Filter{Attribute: a, Values: values}
}

func not(f history.Filter) history.Filter {
	f.Not = true
	return f
}

func like(a history.Attribute, values ...string) history.Filter {
	return history.Filter{Attribute: a, Values: values, Glob: true}
}

func ask(filters ...history.Filter) history.Query { return history.Query{Filters: filters} }

func find(text string) history.Query { return history.Query{Text: text} }

func testQueries(t *testing.T, s history.Search) { //nolint:funlen // a table
	t.Helper()
	at := func(second int) history.Bound { return history.At(Start().Add(time.Duration(second) * time.Second)) }
	for _, tc := range []struct {
		name  string
		query history.Query
		want  string
	}{
		{"event name", ask(is(history.EventName, "TerminateInstances")), "denied-ec2 terminate"},
		{"case counts", ask(is(history.EventName, "terminateinstances")), ""},
		{"several values", ask(is(history.EventName, "CreateUser", "CreateAccessKey")), "create-key create-user transfer-user"},
		{"two filters", ask(is(history.EventName, "CreateUser"), is(history.EventSource, "iam.amazonaws.com")), "create-user"},
		{"that never meet", ask(is(history.EventName, "CreateUser"), is(history.ReadOnly, "true")), ""},
		{"exclude", ask(is(history.EventName, "TerminateInstances"), not(is(history.OutcomeIs, "denied"))), "terminate"},
		{"exclude several", ask(is(history.EventSource, "kms.amazonaws.com"), not(is(history.EventName, "Decrypt", "RotateKey"))), "delete-key"},
		{"exclude what is absent", ask(is(history.EventSource, "kms.amazonaws.com"), not(is(history.AccessKey, "AKIAALICE"))), "decrypt root-event"},
		{"glob", ask(like(history.EventName, "create*")), "create-key create-user transfer-user"},
		{"glob in the middle", ask(like(history.EventName, "s*y*etion")), "delete-key"},
		{"glob without a star", ask(like(history.EventName, "decrypt")), "decrypt"},
		{"glob of other characters", ask(like(history.EventName, "%", "_", "?", "[a-z]*")), ""},
		{"excluded glob", ask(is(history.EventSource, "kms.amazonaws.com"), not(like(history.EventName, "*key*"))), "decrypt"},
		{"user by role", ask(is(history.User, "Admin"), is(history.ReadOnly, "true"), is(history.OutcomeIs, "success")), "console-key get-secret list-secrets"},
		{"user by role's ARN", ask(is(history.User, "arn:aws:iam::111122223333:role/Admin"), is(history.Region, "us-east-1")), "denied-ec2 open-six throttled"},
		{"user by session", ask(is(history.User, "carol")), "denied-ec2 open-six throttled"},
		{"user by ARN", ask(is(history.User, "arn:aws:iam::111122223333:root")), "login-root root-call"},
		{"resource by id", ask(is(history.ResourceName, "i-0bbb")), "terminate"},
		{"resource by name", ask(is(history.ResourceName, "data-bucket")), "bucket-policy expiry no-read-only"},
		{"resource by ARN", ask(is(history.ResourceName, "arn:aws:kms:eu-west-1:111122223333:key/k-1")), "delete-key"},
		{"resource that a denial names", ask(is(history.ResourceName, "arn:aws:s3:::top-secret/plan.txt")), "denied-s3"},
		{"access key", ask(is(history.AccessKey, "ASIABOB2")), "console-key"},
		{"event id", ask(is(history.EventID, "decrypt", "hostile", "no such")), "decrypt hostile"},
		{"not an event id", ask(is(history.EventSource, "x.amazonaws.com", "scheduler.amazonaws.com"), not(is(history.EventID, "hostile"))), "schedule-run"},
		{"failure", ask(is(history.OutcomeIs, "failure"), is(history.EventSource, "ec2.amazonaws.com")), "denied-ec2 throttled"},
		{"not failure", ask(not(is(history.OutcomeIs, "failure")), is(history.User, "carol")), "open-six"},
		{"writes, and what does not say", ask(is(history.ReadOnly, "false"), is(history.EventSource, "s3.amazonaws.com")), "bucket-policy expiry no-read-only"},
		{"source IP", ask(is(history.SourceIP, "2001:db8::1")), "denied-ec2 open-six throttled"},
		{"source that is a service", ask(is(history.SourceIP, "config.amazonaws.com")), "by-config root-service"},
		{"error code", ask(is(history.ErrorCode, "TrailNotFoundException")), "delete-failed"},
		{"identity", ask(is(history.Identity, "AWSService")), "by-config"},
		{"user agent", ask(is(history.UserAgent, "Mozilla/5.0 (X11)")), "console-key"},
		{"mfa", ask(is(history.MFA, "true")), "denied-ec2 login-mfa login-root open-six throttled"},
		{"console", ask(is(history.Console, "true")), "console-key"},
		{"service", ask(is(history.Service, "true")), "by-config decrypt root-event root-service"},
		{"not service", ask(is(history.EventName, "GetBucketAcl", "GetObject"), not(is(history.Service, "true"))), "denied-s3"},
		{"event type", ask(is(history.EventType, "AwsServiceEvent")), "root-event"},
		{"request id", ask(is(history.RequestID, "0b0c2bc6-0000-4000-8000-0000000000aa")), "by-config"},
		{"shared event id", ask(is(history.SharedID, "twin-1")), "account-other by-config"},
		{"invoked by", ask(like(history.InvokedBy, "*")), "by-config decrypt root-service"},
		{"account", ask(is(history.Account, "999999999999")), ""},
		{"a value of the request", ask(is(history.LeafValue, "0.0.0.0/0")), "close-group open-group"},
		{"a value without it", ask(is(history.LeafValue, "0.0.0.0/0"), not(is(history.LeafValue, "tcp"))), "close-group"},
		{"several values of requests and responses", ask(is(history.LeafValue, "::/0", "Active")), "create-key open-six"},
		{"a number's value", ask(is(history.LeafValue, "22")), "open-group"},
		{"a value's case counts", ask(is(history.LeafValue, "active")), ""},
		{"a part of a value", ask(is(history.LeafValue, "0.0.0.0")), ""},
		{"a value of the additional data", ask(is(history.LeafValue, "YES")), "login-root"},
		{"since", history.Query{Since: at(41)}, "by-config console-key hostile"},
		{"until", history.Query{Until: at(1)}, "assume-admin assume-bob"},
		{"one second", history.Query{Since: at(8), Until: at(8)}, "check-mfa"},
		{"range and filter", history.Query{Since: at(5), Until: at(30), Filters: []history.Filter{is(history.EventSource, "iam.amazonaws.com"), is(history.ReadOnly, "true")}}, "root-call"},
		{"a word of the request", find("AdministratorAccess"), "attach-admin"},
		{"whatever its case", find("ADMINISTRATORACCESS"), "attach-admin"},
		{"the beginning of a word", find("administrat"), "attach-admin"},
		{"two words", find("mallory Active"), "create-key"},
		{"words that never meet", find("mallory 0.0.0.0"), ""},
		{"a piece in quotes", find(`"Request limit exceeded"`), "throttled"},
		{"words in another order", find(`"limit Request exceeded"`), ""},
		{"an attribute's part", find("scheduler.amazon"), "schedule-run"},
		{"a user", find("carol"), "assume-admin denied-ec2 open-six throttled"},
		{"an address", find("198.51.100.7"), "login-failed login-hidden"},
		{"an event's id", find("list-secrets"), "list-secrets"},
		{"words and a filter", history.Query{Text: "mallory", Filters: []history.Filter{is(history.EventName, "AttachUserPolicy")}}, "attach-admin"},
		{"a hostile name", ask(is(history.EventName, "'; DROP TABLE event; --")), "hostile"},
		{"a hostile agent", ask(is(history.UserAgent, "<script>alert(1)</script> \" OR 1=1 * \u202e")), "hostile"},
		{"operators", find(`"DROP TABLE event"`), "hostile"},
		{"more operators", find(`NEAR(alice AND bob) OR *`), ""},
		{"a star", find(`alert*`), ""},
		{"nothing but signs", find(`\ ( ) { } ^ ~ ! + -`), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := sorted(ids(t, s, tc.query)); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// pivot is a question that leads on from an event.
func pivot(t *testing.T, s history.Search, id, name string) history.Query {
	t.Helper()
	e, err := s.Event(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range history.Pivots(&e) {
		if p.Name == name {
			return p.Query
		}
	}
	t.Fatalf("%s has no pivot %s", id, name)
	return history.Query{}
}

// testChain walks role chains and sessions.
func testChain(t *testing.T, s history.Search) {
	t.Helper()
	const bob = "attach-admin bucket-policy console-key create-key create-user delete-failed delete-trail denied-s3 get-secret list-secrets " +
		"login-federated open-group share-snapshot"
	for _, tc := range []struct{ id, pivot, want string }{
		{"open-six", "session-began", "assume-admin"},  // by key and by time
		{"create-user", "session-began", "assume-bob"}, // by the time of the session: a console session has other keys
		{"console-key", "session-began", "assume-bob"}, //
		{"assume-bob", "issued", bob},                  // the way back
		{"assume-admin", "issued", "denied-ec2 open-six throttled"},
		{"account-other", "issued", ""},
		{"create-key", "issued", ""},
		{"console-key", "same-session", bob},
		{"throttled", "same-session", "denied-ec2 open-six throttled"},
		{"terminate", "same-session", "add-permission assume-admin attach-other check-mfa close-group delete-key expiry hostile login-mfa " +
			"login-plain no-read-only own-group put-policy read-groups schedule-run terminate transfer-user unshare-snapshot"},
		{"throttled", "same-address", "denied-ec2 open-six throttled"},
		{"account-other", "twins", "account-other by-config"},
		{"expiry", "same-resource", "bucket-policy expiry no-read-only"},
	} {
		t.Run(tc.pivot+" of "+tc.id, func(t *testing.T) {
			if got := sorted(ids(t, s, pivot(t, s, tc.id, tc.pivot))); got != sorted(strings.Fields(tc.want)) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
