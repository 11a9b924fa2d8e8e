-- For wrk: each request is a PUT of the file that BODY names.
local file = assert(io.open(os.getenv("BODY"), "rb"))
wrk.method = "PUT"
wrk.body = file:read("*a")
file:close()
