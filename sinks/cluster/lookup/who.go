package lookup

import (
	"strings"
	"time"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// user passes the documents of who has a name: of a user, role or session, an ARN or a principal id, as history.Describe
// gathers them. A document has the names of roles and users in fields of their own. That of a session is a part of its ARN,
// and of nothing else alone: related.user, which has it too, has the users that a call is about as well.
func user(names ...string) query {
	sessions := is(fieldIdentity, "AssumedRole", "FederatedUser")
	others := neither(has(fieldUser), is(fieldIdentity, "Root", "AWSService", "AWSAccount", "AssumedRole", "FederatedUser"))
	clauses := []query{
		is(fieldUser, names...), is(fieldPrincipal, names...), is(fieldARN, names...), is(fieldIssuer, names...),
		is(fieldIssuerID, names...), is(fieldSourceID, names...), is(fieldBehalf, names...),
		all(is(fieldIdentity, "AWSService"), is(fieldInvokedBy, names...)),
		all(is(fieldIdentity, "AWSAccount"), is(fieldAccount, names...), neither(has(fieldUser), has(fieldPrincipal))),
		all(others, neither(has(fieldARN)), is(fieldInvokedBy, names...)),
	}
	var ofSessions, ofPrincipals, ofARNs []query
	for _, name := range names {
		if name == "root" {
			clauses = append(clauses, is(fieldIdentity, "Root"))
		}
		if !strings.Contains(name, "/") {
			ofSessions = append(ofSessions, fits(fieldARN, "*:sts:*/"+literal(name)))
			ofPrincipals = append(ofPrincipals, ends(fieldPrincipal, ":"+name))
		}
		if !strings.ContainsAny(name, ":/") {
			ofARNs = append(ofARNs, ends(fieldARN, "/"+name), ends(fieldARN, ":"+name))
		}
	}
	return either(append(clauses,
		all(sessions, is(fieldRelated, names...), either(ofSessions...)),
		all(sessions, neither(has(fieldARN)), either(ofPrincipals...)),
		all(others, either(ofARNs...)),
	)...)
}

// userLike passes, among others, the documents of who has a name like that.
func userLike(pattern string) query {
	var clauses []query
	for _, name := range []string{
		fieldUser, fieldPrincipal, fieldARN, fieldIssuer, fieldIssuerID, fieldSourceID, fieldBehalf, fieldInvokedBy, fieldAccount,
	} {
		clauses = append(clauses, matches(name, glob(pattern)))
	}
	for _, before := range []string{"*/", "*:"} { // the end of an ARN or of a principal id
		clauses = append(clauses, matches(fieldARN, before+glob(pattern)), matches(fieldPrincipal, before+glob(pattern)))
	}
	return either(append(clauses, is(fieldIdentity, "Root"))...)
}

// session passes the documents of a session: of a principal and the time it began, else of a long-term key.
func session(name string) query {
	own := neither(has(fieldInvokedBy))
	i := strings.LastIndexByte(name, ' ')
	if i < 0 {
		return all(is(fieldKey, name), own, either(neither(has(fieldPrincipal)), neither(has(fieldCreated))))
	}
	began, ok := atSecond(fieldCreated, name[i+1:])
	if !ok {
		return nothing()
	}
	return all(is(fieldPrincipal, name[:i]), began, own)
}

// atSecond passes the documents of which a date is within the second that a text says.
func atSecond(name, text string) (query, bool) {
	at, ok := cloudtrail.ParseTime([]byte(text))
	if !ok {
		return query{}, false
	}
	at = at.UTC().Truncate(time.Second)
	return query{Range: map[string]bounds{name: {
		From: at.Format(time.RFC3339), Below: at.Add(time.Second).Format(time.RFC3339), Format: "strict_date_optional_time",
	}}}, true
}

// issued passes, among others, the calls that have made credentials: an access key, or a session.
func issued(name string) query {
	answer := flattenedFields + "response_elements."
	i := strings.LastIndexByte(name, ' ')
	if i < 0 {
		return either(
			is(answer+"credentials.accessKeyId", name), is(answer+"roleCredentials.accessKeyId", name),
			is(answer+"accessKey.accessKeyId", name), words(fieldResponse, name),
		)
	}
	at, ok := atSecond(fieldTime, name[i+1:])
	if !ok {
		return nothing()
	}
	principal := name[:i]
	return all(at, either(
		is(answer+"assumedRoleUser.assumedRoleId", principal), is(answer+"federatedUser.federatedUserId", principal),
		words(fieldResponse, principal),
	))
}

// words passes documents with the words of a text, in their order, in the text of a free-form object.
func words(name, text string) query {
	return query{Phrase: map[string]phrase{name + ".text": {Query: text}}}
}
