package export_test

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/history/export"
)

func write(t *testing.T, format string, pages ...[]history.Event) string {
	t.Helper()
	var b strings.Builder
	w, err := export.New(format, &b)
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		if err := w.Write(page); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.End(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func event() history.Event {
	return history.Event{
		ID: "e1", Name: "RunInstances", Source: "ec2.amazonaws.com", User: "bob", AccessKey: "AKIA", Region: "eu-west-1",
		Account: "111122223333", SourceIP: "192.0.2.1", UserAgent: "aws-cli, \"v2\"", Type: "AwsApiCall", RequestID: "r1",
		Time: time.Date(2023, 7, 10, 12, 0, 0, 0, time.UTC), Outcome: history.Denied, ErrorCode: "AccessDenied", Reason: "AccessDenied: no",
		Resources: []history.Resource{{Type: "AWS::EC2::Instance", Name: "i-1"}, {Name: "x"}},
		Record:    []byte("{\"a\":9007199254740993,\r\n \"b\":1.0}"),
	}
}

func TestCSV(t *testing.T) {
	got := write(t, export.CSV, []history.Event{event()}, []history.Event{event()})
	const head = "User name,AWS access key,Event time,Event source,Event name,AWS region,Source IP address,User agent," +
		"Error code,Resources,Request ID,Event ID,Read-only,Event type,Recipient Account Id,Outcome,Reason\r\n"
	const row = `bob,AKIA,2023-07-10T12:00:00Z,ec2.amazonaws.com,RunInstances,eu-west-1,192.0.2.1,"aws-cli, ""v2""",` +
		"AccessDenied,AWS::EC2::Instance i-1; x,r1,e1,false,AwsApiCall,111122223333,denied,AccessDenied: no\r\n"
	if diff := cmp.Diff(head+row+row, got); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}
	if got := write(t, export.CSV); got != head {
		t.Errorf("got %q for no event, want the head", got)
	}
}

func TestCSV_formulas(t *testing.T) {
	tests := []struct{ name, value, want string }{
		{"plain", "bob", "bob"},
		{"equals", "=HYPERLINK(1)", "'=HYPERLINK(1)"},
		{"plus", "+1", "'+1"},
		{"minus", "-1", "'-1"},
		{"at", "@SUM(1)", "'@SUM(1)"},
		{"tab", "\t=1", "'\t=1"},
		{"line break", "\r=1", "'=1"}, // encoding/csv drops a lone \r
		{"NUL", "\x00=1", "'\x00=1"},
		{"wide sign", "＝1", "'＝1"},
		{"behind spaces", "  =1", "'  =1"},
		{"behind a byte-order mark", "\ufeff=1", "'\ufeff=1"},
		{"within", "a=1", "a=1"},
		{"quote", `a"=1`, `a"=1`},
		{"empty", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := history.Event{User: tt.value}
			r := csv.NewReader(strings.NewReader(write(t, export.CSV, []history.Event{e})))
			rows, err := r.ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			if got := rows[1][0]; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestJSON(t *testing.T) {
	var got struct {
		Events []struct {
			EventID, EventName, ReadOnly, Username, CloudTrailEvent, Outcome string
			Resources                                                        []struct{ ResourceType, ResourceName string }
		}
	}
	text := write(t, export.JSON, []history.Event{event()}, nil, []history.Event{event()})
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if len(got.Events) != 2 || got.Events[1].CloudTrailEvent != string(event().Record) || got.Events[0].ReadOnly != "false" || len(got.Events[0].Resources) != 2 {
		t.Errorf("got %+v", got)
	}
	if got, want := write(t, export.JSON), "{\"Events\": []}\n"; got != want {
		t.Errorf("got %q for no event, want %q", got, want)
	}
}

func TestNDJSON(t *testing.T) {
	got := write(t, export.NDJSON, []history.Event{event(), {Record: []byte(`{}`)}})
	if want := "{\"a\":9007199254740993,   \"b\":1.0}\n{}\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNew_unknown(t *testing.T) {
	if _, err := export.New("xml", nil); err == nil || !strings.Contains(err.Error(), `"xml"`) {
		t.Errorf("got %v, want an error that names the format", err)
	}
}
