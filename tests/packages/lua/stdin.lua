-- SPDX-License-Identifier: MIT
-- Run as standard input (`lua -`): the chunk's name is "stdin"; a syntax error ends it.
print("from standard input", arg[0], ...)
local ok, e = pcall(error, setmetatable({}, {__tostring = function() return "an object" end}))
print(ok, tostring(e))
error(setmetatable({}, {__tostring = function() return "uncaught object" end}))
