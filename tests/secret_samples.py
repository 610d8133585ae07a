"""Made-up secrets, and texts that hold none; joined from halves, so that no scanner takes this file for a leak."""

PREFIXED = (
    "AKIA" + "QWERTYUIOPASDF23",
    "eyJ" + "hbGciOiJIUzI1NiJ9.eyJ" + "zdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl",
    "ghp_" + "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8",
    "github_pat_" + "11ABCDEFG0123456789abcdef",
    "xoxb-" + "123456789012-abcdefghijkl",
    "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
    "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "sk-" + "proj-abcdefghij1234567890ABCD",
    "sk-" + "ant-api03-abcdefghij1234567890",
    "glpat-" + "a1b2c3d4e5f6g7h8i9j0",
    "npm_" + "a1b2c3d4e5f6g7h8i9j0a1b2c3d4e5f6g7h8",
    "hf_" + "abcdefghijklmnopqrstuvwxyzABCDEFGH",
    "SG." + "abcdefghijklmnop12.abcdefghijklmnop1234",
)

NAMED = (
    ('{"api_key": "abc", "model": "gpt"}', "abc"),
    (r'{"headers": "{\"Authorization\": \"Basic YWJj\"}"}', "Basic YWJj"),
    ("Authorization: Bearer abcdefgh123 and more", "Bearer abcdefgh123"),
    ("Cookie: session=abc; theme=dark", "session=abc; theme=dark"),
    ("set-cookie: id=abc; HttpOnly", "id=abc; HttpOnly"),
    ("GET https://api.example.com/v1?api_key=abcd&x=1", "abcd"),
    ("https://bucket/x?X-Amz-Signature=deadbeef", "deadbeef"),
    ("postgres://app:s3cr3tpw@db/app", "s3cr3tpw"),
    ("{'password': 'hunter2'}", "hunter2"),
    ('("authorization", "Bearer xyz")', "Bearer xyz"),
    ("[(b'cookie', b'a=b')]", "a=b"),
    ("export MY_SECRET=abc123def", "abc123def"),
)

PROSE = (
    "the authorization: users must log in first",
    "my cookie recipe: two cups of sugar",
    "password is required",
    '{"input_tokens": 1234567, "total_tokens": 2345678}',
    '{"required": ["api_key", "model"]}',
    '{"type": "object", "properties": {"password": {"type": "string"}}}',
    "a task-oriented, risk-based approach",
    "see https://example.com/docs?page=2#token",
)
