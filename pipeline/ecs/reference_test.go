package ecs_test

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
)

// mapper maps one record. Members are set by their full path; what is absent is not set.
type mapper struct {
	cfg    ecs.Config
	rec    *jsonObject // pruned
	doc    map[string]any
	errors []any

	action, service string
	name, id        any // user.name and user.id
	session         string
}

// reference is the document that the mapping asks for, without event.ingested; an error when text is no record.
func reference(cfg ecs.Config, text []byte, read time.Time) (map[string]any, error) {
	raw := string([]rune(string(text)))
	rec, err := parseReference([]byte(raw))
	if err != nil {
		return nil, err
	}
	pruned(rec)
	m := &mapper{cfg: cfg, rec: rec, doc: map[string]any{}}
	m.action, _ = rec.of["eventName"].(string)
	if host, _ := rec.of["eventSource"].(string); strings.HasSuffix(host, ".amazonaws.com") {
		m.service, _, _ = strings.Cut(host, ".amazonaws.com")
	}
	m.constants(read)
	m.time(read)
	m.topLevel()
	m.identity()
	m.principals()
	m.freeForms()
	m.resources()
	m.tls()
	m.digest()
	m.related()
	m.entities()
	m.others()
	m.event(strings.TrimRight(strings.TrimLeft(raw, " \t\r\n"), " \t\r\n"))
	return m.doc, nil
}

// set puts v at a path unless it is nothing.
func (m *mapper) set(path string, v any) {
	if list, ok := v.([]any); v == nil || v == "" || ok && len(list) == 0 {
		return
	}
	at, parts := m.doc, strings.Split(path, ".")
	for _, key := range parts[:len(parts)-1] {
		if at[key] == nil {
			at[key] = map[string]any{}
		}
		at = at[key].(map[string]any)
	}
	at[parts[len(parts)-1]] = v
}

// keyword puts v at a path whose field takes no objects.
func (m *mapper) keyword(path string, v any) {
	m.set(path, plainWord(v))
}

// flat puts an object at the path of a flattened field.
func (m *mapper) flat(path string, v any) {
	if o, ok := v.(*jsonObject); ok {
		m.set(path, flatValue(o, 1, len(path)))
	}
}

// word is v where a string names something: strings and numbers do.
func word(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return string(v)
	}
	return ""
}

// set of words in their order, without repetition.
type words []any

func (w *words) add(list ...string) {
	for _, s := range list {
		if s != "" && !slices.Contains(*w, any(s)) {
			*w = append(*w, s)
		}
	}
}

func (w *words) sort() {
	slices.SortFunc(*w, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
}

func (m *mapper) constants(read time.Time) {
	for path, v := range map[string]string{
		"ecs.version": "8.11.0", "data_stream.type": "logs", "data_stream.dataset": "aws.cloudtrail",
		"data_stream.namespace": "default", "event.dataset": "aws.cloudtrail", "event.module": "aws",
		"input.type": "aws-s3", "cloud.provider": "aws", "event.created": isoTime(read),
	} {
		m.set(path, v)
	}
}

func isoTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func momentReference(v any) string {
	text, ok := v.(string)
	if !ok {
		return ""
	}
	t, ok := cloudtrail.ParseTime([]byte(text))
	if !ok || t.Year() < 1 || t.Year() > 9999 {
		return ""
	}
	return isoTime(t)
}

func (m *mapper) fail(what string) { m.errors = append(m.errors, what) }

func (m *mapper) time(read time.Time) {
	v := m.rec.of["eventTime"]
	if v == nil {
		v = get(m.rec, "timeWindow", "windowEnd")
	}
	if v == nil && m.rec.of["eventName"] == nil {
		v = m.rec.of["digestEndTime"]
	}
	at := momentReference(v)
	if at == "" {
		at = isoTime(read)
	}
	m.set("@timestamp", at)
	if v := m.rec.of["eventTime"]; v != nil && momentReference(v) == "" {
		m.fail("eventTime is not a time")
	}
}

// either is the first of two spellings that the record has.
func (m *mapper) either(a, b string) any {
	if v := m.rec.of[a]; v != nil {
		return v
	}
	return m.rec.of[b]
}

// topLevel is MAPPING section 3.
func (m *mapper) topLevel() {
	r := m.rec.of
	m.keyword("event.provider", r["eventSource"])
	m.set("cloud.service.name", m.service)
	m.keyword("event.action", r["eventName"])
	m.keyword("cloud.region", r["awsRegion"])
	m.keyword("source.address", r["sourceIPAddress"])
	m.set("source.ip", addressOf(r["sourceIPAddress"]))
	m.keyword("event.id", m.either("eventID", "eventId"))
	for key, path := range map[string]string{
		"eventVersion": "event_version", "eventCategory": "event_category", "errorCode": "error_code",
		"errorMessage": "error_message", "requestID": "request_id", "eventType": "event_type", "apiVersion": "api_version",
		"vpcEndpointId": "vpc_endpoint_id", "vpcEndpointAccountId": "vpc_endpoint_account_id",
		"sessionCredentialFromConsole": "session_credential_from_console",
	} {
		m.keyword("aws.cloudtrail."+path, r[key])
	}
	m.keyword("aws.cloudtrail.recipient_account_id", m.recipient())
	m.keyword("aws.cloudtrail.shared_event_id", m.either("sharedEventID", "sharedEventId"))
	if v := r["managementEvent"]; v != nil {
		text := javaText(v)
		if n, ok := v.(json.Number); ok {
			text = string(n)
		}
		m.set("aws.cloudtrail.management_event", text)
	}
	if isYesNo(r["readOnly"]) {
		m.set("aws.cloudtrail.read_only", r["readOnly"])
	}
	for key, path := range map[string]string{
		"reason": "reason", "updatedFields": "updated_fields", "originalRequestID": "original_request_id",
		"originalEventID": "original_event_id",
	} {
		m.keyword("aws.cloudtrail.addendum."+path, get(m.rec, "addendum", key))
	}
	m.flat("aws.cloudtrail.flattened.insight_details", r["insightDetails"])
	m.flat("aws.cloudtrail.event_context", r["eventContext"])
	m.agent()
}

func (m *mapper) recipient() any { return m.either("recipientAccountId", "recipientAccountID") }

func addressOf(v any) string {
	addr, err := netip.ParseAddr(word(v))
	if err != nil || addr.Zone() != "" {
		return ""
	}
	return word(v)
}

func isYesNo(v any) bool { return v == true || v == false || v == "true" || v == "false" }

// agent is what of MAPPING section 13 needs no database.
func (m *mapper) agent() {
	m.keyword("user_agent.original", m.rec.of["userAgent"])
}

// freeForms is MAPPING sections 7 and 10.
func (m *mapper) freeForms() {
	for key, name := range map[string]string{
		"requestParameters": "request_parameters", "responseElements": "response_elements",
		"additionalEventData": "additional_eventdata", "serviceEventDetails": "service_event_details",
	} {
		v := m.rec.of[key]
		if o, ok := v.(*jsonObject); v == nil || ok && len(o.keys) == 0 {
			continue
		}
		text := javaText(v)
		if r := m.cfg.Retain; r != ecs.RetainFlattened && r != ecs.RetainNone {
			m.set("aws.cloudtrail."+name, text)
		}
		if len(utf16.Encode([]rune(text))) >= 32766 {
			continue
		}
		switch m.cfg.Retain {
		case "", ecs.RetainAll, ecs.RetainFlattened:
			m.flat("aws.cloudtrail.flattened."+name, v)
		case ecs.RetainMinimal:
			m.minimal(name, v)
		}
	}
	if m.action != "ConsoleLogin" {
		return
	}
	const root = "aws.cloudtrail.console_login.additional_eventdata."
	extra := m.rec.of["additionalEventData"]
	if v := get(extra, "MobileVersion"); v != nil {
		m.set(root+"mobile_version", v != "No")
	}
	m.keyword(root+"login_to", get(extra, "LoginTo"))
	if v := get(extra, "MFAUsed"); v != nil {
		m.set(root+"mfa_used", v != "No")
	}
}

func (m *mapper) minimal(name string, v any) {
	kept := map[string][]string{
		"additional_eventdata": {"SSEApplied"},
		"request_parameters": {
			"cidrIp", "dryRun", "fromPort", "includeDeprecated", "policyArn", "serialNumber",
			"withDecryption", "x-amz-server-side-encryption-customer-algorithm",
		},
	}
	for _, key := range kept[name] {
		if member := get(v, key); member != nil {
			path := "aws.cloudtrail.flattened." + name + "." + key
			m.set(path, flatValue(member, 2, len(path)))
		}
	}
}

// resources is MAPPING section 8.
func (m *mapper) resources() {
	list, ok := m.rec.of["resources"].([]any)
	if !ok {
		if o, isObject := m.rec.of["resources"].(*jsonObject); isObject {
			m.set("aws.cloudtrail.resources", m.movedResource(o))
		}
		return
	}
	last := map[string]any{}
	var keys []string
	for _, v := range list {
		o, ok := v.(*jsonObject)
		if !ok {
			continue
		}
		plain := m.resourceReference(o)
		id, _ := json.Marshal([]any{plain["arn"], plain["account_id"], plain["type"]})
		if last[string(id)] == nil {
			keys = append(keys, string(id))
		}
		last[string(id)] = plain
	}
	var out []any
	for _, key := range keys {
		if plain, _ := last[key].(map[string]any); len(plain) > 0 {
			out = append(out, plain)
		}
	}
	m.set("aws.cloudtrail.resources", out)
}

func (m *mapper) resourceReference(o *jsonObject) map[string]any {
	plain := map[string]any{}
	for _, key := range o.keys {
		name := map[string]string{"ARN": "arn", "accountId": "account_id"}[key]
		if name == "" {
			name = key
		}
		if (key == "arn" && o.of["ARN"] != nil) || (key == "account_id" && o.of["accountId"] != nil) {
			continue
		}
		switch {
		case in(name, "arn account_id type"):
			plain[name] = plainWord(o.of[key])
		case !unfitReference(m.rec.of["resources"]):
			plain[name] = plainValue(o.of[key])
		}
	}
	return plain
}

// plainWord is v for a keyword field.
func plainWord(v any) any {
	switch v := v.(type) {
	case *jsonObject, []any:
		return javaText(v)
	case json.Number:
		if len(v) > 1000 {
			return string(v)
		}
	}
	return v
}

// movedResource is resources that is an object: it moves as it is.
func (m *mapper) movedResource(o *jsonObject) any {
	plain := map[string]any{}
	for _, key := range o.keys {
		switch {
		case in(key, "arn account_id type"):
			plain[key] = plainWord(o.of[key])
		case !unfitReference(o):
			plain[key] = plainValue(o.of[key])
		}
	}
	if len(plain) == 0 {
		return nil
	}
	return plain
}

// unfitReference: an object field refuses keys that are blank, long or would be taken for paths, long numbers, and more
// than twelve containers in each other.
func unfitReference(v any) bool { return unfitAt(v, 1) }

func unfitAt(v any, depth int) bool {
	switch v := v.(type) {
	case json.Number:
		return len(v) > 1000
	case []any:
		return depth > 12 || slices.ContainsFunc(v, func(m any) bool { return unfitAt(m, depth+1) })
	case *jsonObject:
		for _, key := range v.keys {
			if len(key) > 256 || strings.TrimSpace(key) == "" || strings.Contains(key, ".") || unfitAt(v.of[key], depth+1) {
				return true
			}
		}
		return depth > 12
	}
	return false
}
