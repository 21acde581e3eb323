package local_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/sinks/local"
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
	both := func(filters ...local.Query) local.Query {
		var q local.Query
		for _, f := range filters {
			q.Filters = append(q.Filters, f.Filters...)
		}
		return q
	}
	for _, tc := range []struct {
		name  string
		query local.Query
		want  string
	}{
		{"none", local.Query{}, "alice2 config bob alice root nothing"},
		{"event name", by(local.EventName, "GetObject"), "bob"},
		{"case counts", by(local.EventName, "getobject"), ""},
		{"the whole value counts", by(local.EventName, "Get"), ""},
		{"two event names", by(local.EventName, "RunInstances", "GetObject"), "bob alice"},
		{"one of two is not known", by(local.EventName, "NoSuchCall", "GetObject"), "bob"},
		{"the same twice", by(local.EventName, "GetObject", "GetObject"), "bob"},
		{"user name", by(local.User, "alice"), "alice2 alice"},
		{"user root", by(local.User, "root"), "root"},
		{"account alias of root", by(local.User, "the-alias"), "root"},
		{"role name", by(local.User, "Reader"), "bob"},
		{"session name, which is an e-mail address", by(local.User, "bob@example.com"), "bob"},
		{"ARN of a user", by(local.User, "arn:aws:iam::111122223333:user/team/alice"), "alice2 alice"},
		{"ARN of a role", by(local.User, "arn:aws:iam::444455556666:role/Reader"), "bob"},
		{"ARN of a session", by(local.User, "arn:aws:sts::444455556666:assumed-role/Reader/bob@example.com"), "bob"},
		{"principal id", by(local.User, "AIDA1"), "alice2 alice"},
		{"principal id of a role", by(local.User, "AROA1"), "bob"},
		{"service", by(local.User, "config.amazonaws.com"), "config"},
		{"two names of one event", by(local.User, "Reader", "AROA1", "bob@example.com", "alice"), "alice2 bob alice"},
		{"resource id", by(local.ResourceName, "i-1"), "alice2 alice"},
		{"bucket", by(local.ResourceName, "secrets"), "bob"},
		{"ARN of a resource", by(local.ResourceName, "arn:aws:iam::444455556666:role/Reader"), "config"},
		{"last part of an ARN", by(local.ResourceName, "Reader"), "config"},
		{"resource type", by(local.ResourceType, "AWS::EC2::Instance"), "alice2 alice"},
		{"two resource types", by(local.ResourceType, "AWS::S3::Bucket", "AWS::S3::Object", "AWS::IAM::Role"), "config bob"},
		{"event source", by(local.EventSource, "ec2.amazonaws.com"), "alice2 alice"},
		{"access key", by(local.AccessKey, "ASIA1"), "bob"},
		{"event id", by(local.EventID, "config"), "config"},
		{"two event ids", by(local.EventID, "config", "nothing", "no such"), "config nothing"},
		{"reads", by(local.ReadOnly, "true"), "config bob"},
		{"writes, and what does not say", by(local.ReadOnly, "false"), "alice2 alice root nothing"},
		{"success", by(local.OutcomeIs, "success"), "config alice nothing"},
		{"failure", by(local.OutcomeIs, "failure"), "alice2 bob root"},
		{"denied", by(local.OutcomeIs, "denied"), "bob"},
		{"account", by(local.Account, "444455556666"), "config bob"},
		{"region", by(local.Region, "us-east-1"), "alice2 root"},
		{"source IP", by(local.SourceIP, "192.0.2.2"), "alice2 alice"},
		{"error code", by(local.ErrorCode, "AccessDenied"), "bob"},
		{"identity", by(local.Identity, "IAMUser"), "alice2 alice"},
		{"session", by(local.Session, "AROA1:bob@example.com 2026-11-21T09:00:00Z"), "bob"},
		{"session by key", by(local.Session, "AKIA1"), "alice"},
		{"column and column", both(by(local.EventSource, "ec2.amazonaws.com"), by(local.Region, "us-east-1")), "alice2"},
		{"list and column", both(by(local.User, "alice"), by(local.OutcomeIs, "success")), "alice"},
		{"list and list", both(by(local.User, "alice", "Reader"), by(local.ResourceName, "i-1", "secrets")), "alice2 bob alice"},
		{"list, list and column", both(by(local.User, "alice"), by(local.ResourceName, "i-1"), by(local.ReadOnly, "false"), by(local.AccessKey, "AKIA1")), "alice"},
		{"list and id", both(by(local.User, "alice"), by(local.EventID, "alice2", "bob")), "alice2"},
		{"that never meet", both(by(local.User, "alice"), by(local.EventSource, "s3.amazonaws.com")), ""},
		{"the same attribute twice is AND", both(by(local.User, "alice"), by(local.User, "AIDA1")), "alice2 alice"},
		{"since", local.Query{Since: at(3)}, "alice2 config"},
		{"since, within a second", local.Query{Since: at(3).Add(1)}, "alice2"},
		{"until", local.Query{Until: at(1)}, "alice root nothing"},
		{"one second", local.Query{Since: at(2), Until: at(2)}, "bob"},
		{"filter and range", local.Query{Filters: by(local.User, "alice").Filters, Since: at(2), Until: at(9)}, "alice2"},
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
				if q.Before = page.Next; page.Next == "" {
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
		page, err := s.Events(t.Context(), local.Query{Records: records})
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

func TestReader_Span(t *testing.T) {
	s := fresh(t)
	span := func() [2]time.Time {
		oldest, newest, err := s.Span(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return [2]time.Time{oldest, newest}
	}
	write(t, s, `{"eventID":"nothing"}`)
	if got := span(); got != [2]time.Time{} {
		t.Errorf("no event of a known time: got %v", got)
	}
	write(t, s, cast...)
	at := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	if got, want := span(), [2]time.Time{at, at.Add(4 * time.Second)}; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestReader_Events_wrong(t *testing.T) {
	s := fresh(t)
	many := make([]string, local.MaxValues+1)
	for _, tc := range []struct {
		name  string
		query local.Query
		want  string
	}{
		{"attribute", by("colour", "red"), `no attribute "colour"`},
		{"no value", by(local.User), "give 1 to 50"},
		{"too many values", by(local.User, many...), "give 1 to 50"},
		{"limit", local.Query{Limit: 1001}, "give 1 to 1000"},
		{"negative limit", local.Query{Limit: -1}, "give 1 to 1000"},
		{"cursor", local.Query{Before: "'; DROP"}, "no place in a list"},
		{"range", local.Query{Since: time.Unix(9, 0), Until: time.Unix(8, 0)}, "ends before it begins"},
		{"read only", by(local.ReadOnly, "yes"), "true or false"},
		{"outcome", by(local.OutcomeIs, "bad"), "success, failure or denied"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := s.Events(t.Context(), tc.query)
			var wrong *local.QueryError
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
	for _, q := range []local.Query{{}, by(local.EventName, "E"), by(local.User, "u", "nobody")} {
		q.Limit = 7
		var got []string
		for n := 0; ; n++ {
			page, err := s.Events(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, idsOf(page)...)
			if q.Before = page.Next; page.Next == "" {
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
	if diff := cmp.Diff([]string{"d", "c", "b", "next", "a", "first"}, find(t, s, local.Query{})); diff != "" {
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
		for _, a := range []local.Attribute{local.EventName, local.User, local.ResourceName, local.Region} {
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
