package standin

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// IAM is AWS Identity and Access Management, STS and Organizations of several accounts, as an http.Handler. It knows the
// calls that enrichment makes. Its fields are set before it serves; its methods may be called concurrently.
// Source: IAM API Reference (query protocol, answers in XML), STS API Reference, AWS Organizations API Reference.
type IAM struct {
	Own          string            // the account of callers that have assumed no role
	Organization string            // its id; "" when the account is in none, or may not ask
	Names        map[string]string // of the organization's accounts
	Alias        string            // of the account Own
	Page         int               // principals on a page of a list; 0: 100

	// Answer is asked before each call and may spoil it: a code other than "" is answered as an error with that status.
	Answer func(c Call) (status int, code string, delay time.Duration)

	mu         sync.Mutex
	principals map[string]map[string]Principal // by account, then "user/NAME" or "role/NAME"
	calls      []Call
}

// A Call is one request.
type Call struct {
	Service string // iam, sts, organizations
	Action  string
	Account string // the caller's
	Name    string // of the user or role
	At      time.Time
}

// A Principal is a user or role.
type Principal struct {
	Path string
	Tags map[string]string
}

// Put makes or changes a user or role: name is user/NAME or role/NAME.
func (s *IAM) Put(account, name string, p Principal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.principals == nil {
		s.principals = map[string]map[string]Principal{}
	}
	if s.principals[account] == nil {
		s.principals[account] = map[string]Principal{}
	}
	s.principals[account][name] = p
}

// Delete removes a user or role.
func (s *IAM) Delete(account, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.principals[account], name)
}

// Calls are the requests so far, in order.
func (s *IAM) Calls(service string) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []Call
	for _, c := range s.calls {
		if c.Service == service {
			found = append(found, c)
		}
	}
	return found
}

// Serves reports whether a request is for this stand-in and not for S3 or SQS at the same address.
func (s *IAM) Serves(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("X-Amz-Target"), organizationsTarget) ||
		r.Method == http.MethodPost && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
}

const organizationsTarget = "AWSOrganizationsV20161128."

// ServeHTTP implements http.Handler.
func (s *IAM) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := Call{Account: s.caller(r), At: time.Now()}
	if target, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), organizationsTarget); ok {
		call.Service, call.Action = "organizations", target
	} else {
		if err := r.ParseForm(); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		call.Action, call.Service = r.PostForm.Get("Action"), "iam"
		if r.PostForm.Get("Version") == "2011-06-15" {
			call.Service = "sts"
		}
		call.Name = r.PostForm.Get("UserName") + r.PostForm.Get("RoleName")
	}
	s.mu.Lock()
	s.calls = append(s.calls, call)
	s.mu.Unlock()
	if s.Answer != nil {
		status, code, delay := s.Answer(call)
		wait(r, delay)
		if code != "" {
			deny(w, call.Service, status, code, "the test says so")
			return
		}
	}
	switch call.Service {
	case "organizations":
		s.organizations(w, call)
	case "sts":
		s.sts(w, call, r.PostForm)
	default:
		s.iam(w, call, r.PostForm)
	}
}

// caller is the account whose credentials signed the request: those of an assumed role say it.
func (s *IAM) caller(r *http.Request) string {
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	key, _, _ := strings.Cut(credential, "/")
	if account, ok := strings.CutPrefix(key, "ASIA"); ok && len(account) == 12 {
		return account
	}
	return s.Own
}

func deny(w http.ResponseWriter, service string, status int, code, message string) {
	if service == "organizations" {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "Message": message})
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>1</RequestId></ErrorResponse>",
		code, message)
}

func (s *IAM) organizations(w http.ResponseWriter, call Call) {
	if s.Organization == "" {
		deny(w, call.Service, http.StatusBadRequest, "AccessDeniedException", "you do not have permissions to access this resource")
		return
	}
	answer := map[string]any{"Organization": map[string]string{"Id": s.Organization}}
	if call.Action == "ListAccounts" {
		accounts := []map[string]string{}
		for id, name := range s.Names {
			accounts = append(accounts, map[string]string{"Id": id, "Name": name, "Status": "ACTIVE"})
		}
		answer = map[string]any{"Accounts": accounts}
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(answer)
}

func (s *IAM) sts(w http.ResponseWriter, call Call, form url.Values) {
	if call.Action == "GetCallerIdentity" {
		respond(w, call.Action, "<Account>"+call.Account+"</Account><Arn>arn:aws:iam::"+call.Account+":user/trailship</Arn><UserId>A</UserId>")
		return
	}
	parts := strings.Split(form.Get("RoleArn"), ":")
	if len(parts) < 6 {
		deny(w, call.Service, http.StatusBadRequest, "ValidationError", "no role")
		return
	}
	respond(w, call.Action, "<Credentials><AccessKeyId>ASIA"+parts[4]+"</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"+
		"<Expiration>"+time.Now().Add(time.Hour).UTC().Format(time.RFC3339)+"</Expiration></Credentials>")
}

func (s *IAM) iam(w http.ResponseWriter, call Call, form url.Values) {
	switch call.Action {
	case "GetUser":
		s.get(w, call, "user")
	case "GetRole":
		s.get(w, call, "role")
	case "ListAccountAliases":
		alias := ""
		if s.Alias != "" {
			alias = "<member>" + s.Alias + "</member>"
		}
		respond(w, call.Action, "<AccountAliases>"+alias+"</AccountAliases><IsTruncated>false</IsTruncated>")
	case "GetAccountAuthorizationDetails":
		s.list(w, call, form.Get("Marker"))
	default:
		deny(w, call.Service, http.StatusBadRequest, "InvalidAction", call.Action)
	}
}

func (s *IAM) get(w http.ResponseWriter, call Call, kind string) {
	s.mu.Lock()
	p, ok := s.principals[call.Account][kind+"/"+call.Name]
	s.mu.Unlock()
	if !ok {
		deny(w, call.Service, http.StatusNotFound, "NoSuchEntity", "The "+kind+" with name "+call.Name+" cannot be found.")
		return
	}
	element := strings.ToUpper(kind[:1]) + kind[1:]
	respond(w, call.Action, "<"+element+">"+member(call.Account, kind, call.Name, p)+"</"+element+">")
}

// member is what IAM says of a user or role.
func member(account, kind, name string, p Principal) string {
	element := strings.ToUpper(kind[:1]) + kind[1:]
	path := p.Path
	if path == "" {
		path = "/"
	}
	var tags strings.Builder
	for key, value := range p.Tags {
		tags.WriteString("<member><Key>" + escaped(key) + "</Key><Value>" + escaped(value) + "</Value></member>")
	}
	return fmt.Sprintf("<%sName>%s</%sName><%sId>AIDAEXAMPLE</%sId><Arn>arn:aws:iam::%s:%s%s%s</Arn><Path>%s</Path>"+
		"<CreateDate>2020-01-01T00:00:00Z</CreateDate><Tags>%s</Tags>",
		element, escaped(name), element, element, element, account, kind, path, escaped(name), path, tags.String())
}

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a strings.Builder takes everything
	return b.String()
}

// list answers with one page of an account's users and roles. The marker is the number of those before it.
func (s *IAM) list(w http.ResponseWriter, call Call, marker string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for name := range s.principals[call.Account] {
		all = append(all, name)
	}
	slices.Sort(all)
	size := s.Page
	if size == 0 {
		size = 100
	}
	from, _ := strconv.Atoi(marker)
	to := min(from+size, len(all))
	lists := map[string]string{}
	for _, name := range all[from:to] {
		kind, short, _ := strings.Cut(name, "/")
		lists[kind] += "<member>" + member(call.Account, kind, short, s.principals[call.Account][name]) + "</member>"
	}
	more := "<IsTruncated>false</IsTruncated>"
	if to < len(all) {
		more = fmt.Sprintf("<IsTruncated>true</IsTruncated><Marker>%d</Marker>", to)
	}
	respond(w, call.Action, "<UserDetailList>"+lists["user"]+"</UserDetailList><RoleDetailList>"+lists["role"]+"</RoleDetailList>"+more)
}

func respond(w http.ResponseWriter, action, result string) {
	w.Header().Set("Content-Type", "text/xml")
	fmt.Fprintf(w, "<%sResponse><%sResult>%s</%sResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></%sResponse>",
		action, action, result, action, action)
}
