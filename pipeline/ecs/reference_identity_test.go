package ecs_test

import (
	"strings"
)

// identity is MAPPING section 4, userIdentity.
func (m *mapper) identity() {
	who := m.rec.of["userIdentity"]
	const root = "aws.cloudtrail.user_identity."
	for key, path := range map[string]string{
		"type": "type", "arn": "arn", "accessKeyId": "access_key_id", "invokedBy": "invoked_by",
		"credentialId": "credential_id", "identityProvider": "identity_provider",
		"invokedByDelegate.accountId":                          "invoked_by_delegate.account_id",
		"inScopeOf.issuerType":                                 "in_scope_of.issuer_type",
		"inScopeOf.credentialsIssuedTo":                        "in_scope_of.credentials_issued_to",
		"inScopeOf.sourceArn":                                  "in_scope_of.source_arn",
		"inScopeOf.sourceAccount":                              "in_scope_of.source_account",
		"onBehalfOf.userId":                                    "on_behalf_of.user_id",
		"onBehalfOf.identityStoreArn":                          "on_behalf_of.identity_store_arn",
		"sessionContext.attributes.mfaAuthenticated":           "session_context.mfa_authenticated",
		"sessionContext.sessionIssuer.type":                    "session_context.session_issuer.type",
		"sessionContext.sessionIssuer.principalId":             "session_context.session_issuer.principal_id",
		"sessionContext.sessionIssuer.arn":                     "session_context.session_issuer.arn",
		"sessionContext.sessionIssuer.accountId":               "session_context.session_issuer.account_id",
		"sessionContext.ec2RoleDelivery":                       "session_context.ec2_role_delivery",
		"sessionContext.sourceIdentity":                        "session_context.source_identity",
		"sessionContext.signInSessionArn":                      "session_context.sign_in_session_arn",
		"sessionContext.webIdFederationData.federatedProvider": "session_context.web_id_federation_data.federated_provider",
	} {
		m.keyword(root+path, get(who, strings.Split(key, ".")...))
	}
	session := get(who, "sessionContext")
	if v := get(session, "assumedRoot"); isYesNo(v) {
		m.set(root+"session_context.assumed_root", v)
	}
	m.flat(root+"session_context.web_id_federation_data.attributes", get(session, "webIdFederationData", "attributes"))
	if v := get(session, "attributes", "creationDate"); v != nil {
		m.set(root+"session_context.creation_date", momentReference(v))
		if momentReference(v) == "" {
			m.fail("userIdentity.sessionContext.attributes.creationDate is not a time")
		}
	}
	m.user(who)
	m.account(who)
}

// user settles user.name, user.id, user.email and the session's name.
func (m *mapper) user(who any) {
	kind := get(who, "type")
	m.name, m.id = get(who, "userName"), get(who, "principalId")
	if issuer := get(who, "sessionContext", "sessionIssuer", "userName"); issuer != nil && (kind == "AssumedRole" || kind == "FederatedUser") {
		m.name = issuer
	}
	if kind == "IdentityCenterUser" && m.id == nil {
		m.id = get(who, "onBehalfOf", "userId")
	}
	if extra, ok := m.rec.of["additionalEventData"].(*jsonObject); ok && m.action == "UserAuthentication" && m.name == nil {
		if m.name = extra.of["UserName"]; m.name != nil {
			extra.remove("UserName")
		}
	}
	if kind == "AssumedRole" || kind == "FederatedUser" || kind == "IdentityCenterUser" {
		m.session = sessionOf(word(get(who, "arn")))
	}
	m.keyword("user.name", m.name)
	m.keyword("user.id", m.id)
	switch {
	case strings.Contains(m.session, "@"):
		m.set("user.email", m.session)
	case strings.Index(word(m.name), "@") > 0:
		m.set("user.email", word(m.name))
	}
}

// sessionOf is the text behind the last slash of arn:<partition>:sts:…/<rest>.
func sessionOf(arn string) string {
	parts := strings.SplitN(arn, ":", 4)
	if len(parts) < 4 || parts[0] != "arn" || parts[2] != "sts" || !strings.Contains(parts[3], "/") {
		return ""
	}
	return arn[strings.LastIndex(arn, "/")+1:]
}

func (m *mapper) account(who any) {
	v := get(who, "accountId")
	for _, other := range []any{m.recipient(), m.rec.of["accountId"], m.ofDigest("awsAccountId")} {
		if v == nil {
			v = other
		}
	}
	m.keyword("cloud.account.id", v)
}

// principals is MAPPING section 4, other principals in the request.
func (m *mapper) principals() {
	request, response := m.rec.of["requestParameters"], m.rec.of["responseElements"]
	m.keyword("user.target.name", get(request, "userName"))
	m.keyword("user.target.id", get(response, "user", "userId"))
	m.keyword("user.changes.name", get(request, "newUserName"))
	m.keyword("group.name", get(request, "groupName"))
	m.keyword("group.id", get(response, "group", "groupId"))
}

// tls is MAPPING section 9.
func (m *mapper) tls() {
	details := m.rec.of["tlsDetails"]
	version := word(get(details, "tlsVersion"))
	if version == "tlsVersion" {
		return
	}
	if before, after, ok := strings.Cut(version, "v"); ok {
		m.set("tls.version_protocol", lowered(before))
		version = after
	}
	m.set("tls.version", version)
	m.keyword("tls.cipher", get(details, "cipherSuite"))
	m.keyword("tls.client.server_name", get(details, "clientProvidedHostHeader"))
	m.keyword("aws.cloudtrail.tls_details.key_exchange", get(details, "keyExchange"))
}

// lowered makes ASCII small.
func lowered(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

var digestKeys = map[string]string{
	"digestStartTime": "start_time", "digestEndTime": "end_time", "newestEventTime": "newest_event_time",
	"oldestEventTime": "oldest_event_time", "digestS3Bucket": "s3_bucket", "previousDigestS3Bucket": "previous_s3_bucket",
	"previousDigestS3Object": "previous_s3_object", "previousDigestHashValue": "previous_hash_value",
	"previousDigestHashAlgorithm": "previous_hash_algorithm", "previousDigestSignature": "previous_signature",
	"digestSignatureAlgorithm": "signature_algorithm", "digestPublicKeyFingerprint": "public_key_fingerprint",
	"publicKeyFingerprint": "public_key_fingerprint", "logFiles": "log_files", "digestS3Object": "", "awsAccountId": "",
}

// ofDigest is a member of a record without a name.
func (m *mapper) ofDigest(key string) any {
	if m.rec.of["eventName"] != nil {
		return nil
	}
	return m.rec.of[key]
}

// digest is MAPPING section 16.
func (m *mapper) digest() {
	m.keyword("file.path", m.ofDigest("digestS3Object"))
	if m.rec.of["digestPublicKeyFingerprint"] != nil {
		defer m.set("aws.cloudtrail.flattened.digest.public_key_fingerprint", flatValue(m.ofDigest("digestPublicKeyFingerprint"), 2, 64))
	}
	for _, key := range m.rec.keys {
		name, v := digestKeys[key], m.ofDigest(key)
		if name == "" || v == nil {
			continue
		}
		if strings.HasSuffix(name, "_time") {
			at := momentReference(v)
			if at == "" {
				m.fail("a time of the digest is not a time")
			}
			m.set("aws.cloudtrail.flattened.digest."+name, at)
			continue
		}
		m.set("aws.cloudtrail.flattened.digest."+name, flatValue(v, 2, 64))
	}
}

// related is MAPPING section 11, all but the entities.
func (m *mapper) related() {
	request, response, who := m.rec.of["requestParameters"], m.rec.of["responseElements"], m.rec.of["userIdentity"]
	mailbox, _, isMail := strings.Cut(m.session, "@")
	if !isMail {
		mailbox = ""
	}
	var users, addresses words
	users.add(m.session, mailbox, word(get(request, "userName")), word(get(request, "newUserName")),
		word(get(response, "user", "userId")), word(m.id), word(m.name), word(get(who, "onBehalfOf", "userId")))
	m.set("related.user", []any(users))
	addresses.add(addressOf(m.rec.of["sourceIPAddress"]), addressOf(get(m.rec, "serviceEventDetails", "sourceIpAddress")))
	m.set("related.ip", []any(addresses))
	var hashes words
	hashes.add(word(m.ofDigest("previousDigestHashValue")))
	m.set("related.hash", []any(hashes))
	m.hosts(request, response)
}

func (m *mapper) hosts(request, response any) {
	var hosts words
	if get(m.rec, "tlsDetails", "tlsVersion") != "tlsVersion" {
		if host := word(get(m.rec, "tlsDetails", "clientProvidedHostHeader")); !strings.HasSuffix(host, ".amazonaws.com") {
			hosts.add(host)
		}
	}
	source := word(m.rec.of["sourceIPAddress"])
	if addressOf(source) == "" && strings.Contains(source, ".") && !strings.Contains(source, " ") && !strings.HasSuffix(source, ".amazonaws.com") {
		hosts.add(source)
	}
	hosts.add(word(get(request, "computerName")))
	instance := func(v any) {
		if id := word(v); len(id) >= 10 && strings.HasPrefix(id, "i-") {
			hosts.add(id)
		}
	}
	list, _ := m.rec.of["resources"].([]any)
	for _, v := range list {
		arn := word(get(v, "arn"))
		if upper := get(v, "ARN"); upper != nil {
			arn = word(upper)
		}
		if strings.Contains(arn, ":instance/") {
			instance(arn[strings.LastIndex(arn, "/")+1:])
		}
	}
	for _, from := range []any{request, response} {
		instance(get(from, "instanceId"))
		instance(get(from, "target"))
		instance(get(from, "resourceId"))
		for _, id := range elements(get(from, "instanceIds")) {
			instance(id)
		}
		for _, it := range elements(get(from, "instancesSet", "items")) {
			instance(get(it, "instanceId"))
		}
	}
	hosts.sort()
	m.set("related.hosts", []any(hosts))
}

func elements(v any) []any {
	list, _ := v.([]any)
	return list
}
