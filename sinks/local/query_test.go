package local_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/history"
)

// cast are events of a small company, the oldest first.
var cast = []string{
	`{"eventID":"root","eventTime":"2026-11-21T10:00:00Z","eventName":"ConsoleLogin","eventSource":"signin.amazonaws.com",
		"awsRegion":"us-east-1","sourceIPAddress":"192.0.2.1","recipientAccountId":"111122223333",
		"userIdentity":{"type":"Root","principalId":"111122223333","arn":"arn:aws:iam::111122223333:root","userName":"the-alias"},
		"responseElements":{"ConsoleLogin":"Failure"},"readOnly":false}`,
	`{"eventID":"alice","eventTime":"2026-11-21T10:00:01Z","eventName":"RunInstances","eventSource":"ec2.amazonaws.com",
		"awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.2","recipientAccountId":"111122223333",
		"userIdentity":{"type":"IAMUser","principalId":"AIDA1","arn":"arn:aws:iam::111122223333:user/team/alice","userName":"alice","accessKeyId":"AKIA1"},
		"responseElements":{"instancesSet":{"items":[{"instanceId":"i-1"}]}},"readOnly":false}`,
	`{"eventID":"bob","eventTime":"2026-11-21T10:00:02Z","eventName":"GetObject","eventSource":"s3.amazonaws.com",
		"awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.3","recipientAccountId":"444455556666","errorCode":"AccessDenied","errorMessage":"no",
		"userIdentity":{"type":"AssumedRole","principalId":"AROA1:bob@example.com","arn":"arn:aws:sts::444455556666:assumed-role/Reader/bob@example.com","accessKeyId":"ASIA1",
			"sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA1","arn":"arn:aws:iam::444455556666:role/Reader","userName":"Reader"},
				"attributes":{"creationDate":"2026-11-21T09:00:00Z"}}},
		"requestParameters":{"bucketName":"secrets","key":"a"},"resources":[{"ARN":"arn:aws:s3:::secrets/a","type":"AWS::S3::Object"}],"readOnly":true}`,
	`{"eventID":"config","eventTime":"2026-11-21T10:00:03Z","eventName":"AssumeRole","eventSource":"sts.amazonaws.com",
		"awsRegion":"eu-west-1","sourceIPAddress":"config.amazonaws.com","recipientAccountId":"444455556666",
		"userIdentity":{"type":"AWSService","invokedBy":"config.amazonaws.com"},
		"requestParameters":{"roleArn":"arn:aws:iam::444455556666:role/Reader"},"readOnly":true}`,
	`{"eventID":"alice2","eventTime":"2026-11-21T10:00:04Z","eventName":"TerminateInstances","eventSource":"ec2.amazonaws.com",
		"awsRegion":"us-east-1","sourceIPAddress":"192.0.2.2","recipientAccountId":"111122223333","errorCode":"Client.InvalidInstanceID.NotFound",
		"userIdentity":{"type":"IAMUser","principalId":"AIDA1","arn":"arn:aws:iam::111122223333:user/team/alice","userName":"alice","accessKeyId":"AKIA2"},
		"requestParameters":{"instancesSet":{"items":[{"instanceId":"i-1"}]}}}`,
	`{"eventID":"nothing"}`,
}

func TestReader_Events_filters(t *testing.T) {
	s := fresh(t)
	write(t, s, cast...)
	at := func(second int) time.Time { return time.Date(2026, 11, 21, 10, 0, second, 0, time.UTC) }
	both := func(filters ...history.Query) history.Query {
		var q history.Query
		for _, f := range filters {
			q.Filters = append(q.Filters, f.Filters...)
		}
		return q
	}
	for _, tc := range []struct {
		name  string
		query history.Query
		want  string
	}{
		{"none", history.Query{}, "alice2 config bob alice root nothing"},
		{"event name", by(history.EventName, "GetObject"), "bob"},
		{"case counts", by(history.EventName, "getobject"), ""},
		{"the whole value counts", by(history.EventName, "Get"), ""},
		{"two event names", by(history.EventName, "RunInstances", "GetObject"), "bob alice"},
		{"one of two is not known", by(history.EventName, "NoSuchCall", "GetObject"), "bob"},
		{"the same twice", by(history.EventName, "GetObject", "GetObject"), "bob"},
		{"user name", by(history.User, "alice"), "alice2 alice"},
		{"user root", by(history.User, "root"), "root"},
		{"account alias of root", by(history.User, "the-alias"), "root"},
		{"role name", by(history.User, "Reader"), "bob"},
		{"session name, which is an e-mail address", by(history.User, "bob@example.com"), "bob"},
		{"ARN of a user", by(history.User, "arn:aws:iam::111122223333:user/team/alice"), "alice2 alice"},
		{"ARN of a role", by(history.User, "arn:aws:iam::444455556666:role/Reader"), "bob"},
		{"ARN of a session", by(history.User, "arn:aws:sts::444455556666:assumed-role/Reader/bob@example.com"), "bob"},
		{"principal id", by(history.User, "AIDA1"), "alice2 alice"},
		{"principal id of a role", by(history.User, "AROA1"), "bob"},
		{"service", by(history.User, "config.amazonaws.com"), "config"},
		{"two names of one event", by(history.User, "Reader", "AROA1", "bob@example.com", "alice"), "alice2 bob alice"},
		{"resource id", by(history.ResourceName, "i-1"), "alice2 alice"},
		{"bucket", by(history.ResourceName, "secrets"), "bob"},
		{"ARN of a resource", by(history.ResourceName, "arn:aws:iam::444455556666:role/Reader"), "config"},
		{"last part of an ARN", by(history.ResourceName, "Reader"), "config"},
		{"resource type", by(history.ResourceType, "AWS::EC2::Instance"), "alice2 alice"},
		{"two resource types", by(history.ResourceType, "AWS::S3::Bucket", "AWS::S3::Object", "AWS::IAM::Role"), "config bob"},
		{"event source", by(history.EventSource, "ec2.amazonaws.com"), "alice2 alice"},
		{"access key", by(history.AccessKey, "ASIA1"), "bob"},
		{"event id", by(history.EventID, "config"), "config"},
		{"two event ids", by(history.EventID, "config", "nothing", "no such"), "config nothing"},
		{"reads", by(history.ReadOnly, "true"), "config bob"},
		{"writes, and what does not say", by(history.ReadOnly, "false"), "alice2 alice root nothing"},
		{"success", by(history.OutcomeIs, "success"), "config alice nothing"},
		{"failure", by(history.OutcomeIs, "failure"), "alice2 bob root"},
		{"denied", by(history.OutcomeIs, "denied"), "bob"},
		{"account", by(history.Account, "444455556666"), "config bob"},
		{"region", by(history.Region, "us-east-1"), "alice2 root"},
		{"source IP", by(history.SourceIP, "192.0.2.2"), "alice2 alice"},
		{"error code", by(history.ErrorCode, "AccessDenied"), "bob"},
		{"identity", by(history.Identity, "IAMUser"), "alice2 alice"},
		{"session", by(history.Session, "AROA1:bob@example.com 2026-11-21T09:00:00Z"), "bob"},
		{"session by key", by(history.Session, "AKIA1"), "alice"},
		{"column and column", both(by(history.EventSource, "ec2.amazonaws.com"), by(history.Region, "us-east-1")), "alice2"},
		{"list and column", both(by(history.User, "alice"), by(history.OutcomeIs, "success")), "alice"},
		{"list and list", both(by(history.User, "alice", "Reader"), by(history.ResourceName, "i-1", "secrets")), "alice2 bob alice"},
		{"list, list and column", both(by(history.User, "alice"), by(history.ResourceName, "i-1"), by(history.ReadOnly, "false"), by(history.AccessKey, "AKIA1")), "alice"},
		{"list and id", both(by(history.User, "alice"), by(history.EventID, "alice2", "bob")), "alice2"},
		{"that never meet", both(by(history.User, "alice"), by(history.EventSource, "s3.amazonaws.com")), ""},
		{"the same attribute twice is AND", both(by(history.User, "alice"), by(history.User, "AIDA1")), "alice2 alice"},
		{"since", history.Query{Since: history.At(at(3))}, "alice2 config"},
		{"since, within a second", history.Query{Since: history.At(at(3).Add(1))}, "alice2"},
		{"until", history.Query{Until: history.At(at(1))}, "alice root nothing"},
		{"one second", history.Query{Since: history.At(at(2)), Until: history.At(at(2))}, "bob"},
		{"filter and range", history.Query{Filters: by(history.User, "alice").Filters, Since: history.At(at(2)), Until: history.At(at(9))}, "alice2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := strings.Join(find(t, s, tc.query), " "); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			// The same one by one, from page to page.
			var got []string
			for q := tc.query; ; {
				q.Limit = 1
				page, err := s.Events(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, idsOf(page)...)
				if q.After = page.Next; page.Next == "" {
					break
				}
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("one by one: got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestReader_Events_records(t *testing.T) {
	s := fresh(t)
	write(t, s, cast...)
	for _, records := range []bool{false, true} {
		page, err := s.Events(t.Context(), history.Query{Records: records})
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range page.Events {
			if records != slices.Contains(cast, string(e.Record)) || !records && e.Record != nil {
				t.Errorf("event %d of %v: got record %s", i, records, e.Record)
			}
		}
	}
}

func TestReader_Extent(t *testing.T) {
	s := fresh(t)
	extent := func() history.Extent {
		x, err := s.Extent(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	write(t, s, `{"eventID":"nothing"}`)
	if got, want := extent(), (history.Extent{Events: 1}); got != want {
		t.Errorf("no event of a known time: got %v, want %v", got, want)
	}
	write(t, s, cast...)
	at := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	if got, want := extent(), (history.Extent{Oldest: at, Newest: at.Add(4 * time.Second), Events: int64(len(cast))}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestReader_Events_wrong(t *testing.T) {
	s := fresh(t)
	many := make([]string, history.MaxValues+1)
	for _, tc := range []struct {
		name  string
		query history.Query
		want  string
	}{
		{"attribute", by("colour", "red"), `no attribute "colour"`},
		{"no value", by(history.User), "give 1 to 100"},
		{"too many values", by(history.User, many...), "give 1 to 100"},
		{"limit", history.Query{Limit: 1001}, "give 1 to 1000"},
		{"negative limit", history.Query{Limit: -1}, "give 1 to 1000"},
		{"cursor", history.Query{After: "'; DROP"}, "no place in a list"},
		{"range", history.Query{Since: history.At(time.Unix(9, 0)), Until: history.At(time.Unix(8, 0))}, "ends before it begins"},
		{"read only", by(history.ReadOnly, "yes"), "one of true, false"},
		{"outcome", by(history.OutcomeIs, "bad"), "one of success, failure, denied"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := s.Events(t.Context(), tc.query)
			var wrong *history.QueryError
			if !errors.As(err, &wrong) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want a QueryError with %q", err, tc.want)
			}
		})
	}
}

// Pages of events of one second: each event comes once, although newer and older ones are added between the pages.
func TestReader_Events_cursor(t *testing.T) {
	s := fresh(t)
	var want []string
	const second = `"eventTime":"2026-11-21T10:00:00Z","eventName":"E","userIdentity":{"userName":"u"}}`
	for i := range 100 {
		id := fmt.Sprint("e", i)
		write(t, s, fmt.Sprintf(`{"eventID":%q,`, id)+second)
		want = append(want, id)
	}
	slices.Reverse(want)
	for _, q := range []history.Query{{}, by(history.EventName, "E"), by(history.User, "u", "nobody")} {
		q.Limit = 7
		var got []string
		for n := 0; ; n++ {
			page, err := s.Events(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, idsOf(page)...)
			if q.After = page.Next; page.Next == "" {
				break
			}
			write(t, s, fmt.Sprintf(`{"eventID":"late%v-%d",`, q.Filters, n)+second)
		}
		kept := slices.DeleteFunc(got, func(id string) bool { return strings.HasPrefix(id, "late") })
		if diff := cmp.Diff(want, kept); diff != "" {
			t.Errorf("%v (-want +got):\n%s", q.Filters, diff)
		}
	}
}

// A leaf is found by the whole of its value, as it is written, wherever it is, and by nothing that is like it.
func TestReader_Events_leaves(t *testing.T) {
	s := fresh(t)
	long := strings.Repeat("x", 3000)
	write(t, s, `{"eventID":"a","requestParameters":{"list":[1,2.50,{"deep":[["in there"]]}],"on":true,"none":null,"empty":"","é":"\u00e9\u0000"}}`,
		`{"eventID":"b","responseElements":"only a text","additionalEventData":{"n":10},"serviceEventDetails":{"x":"`+long+`"}}`,
		`{"eventID":"c","eventName":"in there","errorMessage":"10","requestParameters":{"x":"`+long+`y","on":"true"}}`)
	many := make([]string, maxLeaves+1)
	for i := range many {
		many[i] = fmt.Sprintf("%q", fmt.Sprint("leaf ", i))
	}
	write(t, s, `{"eventID":"many","requestParameters":[`+strings.Join(many, ",")+`]}`)
	for value, want := range map[string]string{
		"1": "a", "2.50": "a", "2.5": "", "in there": "a", "true": "c a", "null": "", "é\x00": "a", "only a text": "b", "10": "b",
		long: "b", long + "y": "c", long[1:]: "", "leaf 0": "many", fmt.Sprint("leaf ", maxLeaves-1): "many", fmt.Sprint("leaf ", maxLeaves): "",
	} {
		if got := strings.Join(find(t, s, by(history.LeafValue, value)), " "); got != want {
			t.Errorf("%.40q: got %q, want %q", value, got, want)
		}
	}
	q := history.Query{Filters: []history.Filter{{Attribute: history.LeafValue, Values: []string{"true", "10"}, Not: true}}}
	if got := strings.Join(find(t, s, q), " "); got != "many" {
		t.Errorf("left out: got %q, want the event with neither", got)
	}
}

// maxLeaves is how many leaves of an event are found.
const maxLeaves = 4000

// When a second is full, its events go on in the next one, and nothing is lost.
func TestStore_fullSecond(t *testing.T) {
	s := fresh(t)
	at := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	record := func(id string, second int) string {
		return fmt.Sprintf(`{"eventID":%q,"eventTime":%q}`, id, at.Add(time.Duration(second)*time.Second).Format(time.RFC3339))
	}
	write(t, s, record("first", 0), record("next", 1))
	execute(t, s.Path(), fmt.Sprintf("UPDATE event SET id = %d WHERE id = %d", (at.Unix()+1)<<17-2, at.Unix()<<17))
	write(t, s, record("a", 0), record("b", 0), record("c", 0), record("d", 1))
	if diff := cmp.Diff([]string{"d", "c", "b", "next", "a", "first"}, find(t, s, history.Query{})); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// What an attacker writes is only ever a value.
func TestStore_hostile(t *testing.T) {
	s := fresh(t)
	for i, text := range []string{
		`'; DROP TABLE event; --`, `"`, `%`, `_`, `\`, "a\x00b", "a", "\x00", "<script>alert(1)</script>", "\u202egnp.exe", "\u2028", "=cmd|' /C calc'!A0",
		strings.Repeat("x", 5000), strings.Repeat("é", 1000), "\U0001F600", "?1", ":name", "NULL", "0b0c2bc6-0000-4000-8000-00000000000z",
	} {
		id := fmt.Sprintf("%s#%d", text[:min(len(text), 40)], i)
		record := fmt.Sprintf(`{"eventID":%s,"eventTime":"2026-11-21T10:00:00Z","eventName":%s,"userAgent":%s,"awsRegion":%s,
			"userIdentity":{"type":"IAMUser","userName":%s},"requestParameters":{"bucketName":%s}}`,
			quote(id), quote(text), quote(text), quote(text), quote(text), quote(text))
		b := batch(t, record)
		if fates, err := s.Write(t.Context(), b); err != nil || len(fates) != 1 {
			t.Fatalf("%.200q: got %v, %v", text, fates, err)
		}
		stored := string(b.ID(0))
		for _, a := range []history.Attribute{history.EventName, history.User, history.ResourceName, history.Region, history.LeafValue} {
			page, err := s.Events(t.Context(), by(a, text))
			if err != nil || len(page.Events) != 1 {
				t.Fatalf("%s %.200q: got %d events, %v; want 1", a, text, len(page.Events), err)
			}
			e := page.Events[0]
			if e.Name != text || e.User != text || e.Region != text || e.UserAgent != text || e.ID != stored {
				t.Errorf("%s: got %.200q, want %.200q", a, []string{e.Name, e.User, e.Region, e.UserAgent, e.ID}, text)
			}
		}
		if e, err := s.Event(t.Context(), stored); err != nil || string(e.Record) != record {
			t.Errorf("got %s, %v; want %s", e.Record, err, record)
		}
	}
}

// quote writes a JSON string.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + `"`
}
