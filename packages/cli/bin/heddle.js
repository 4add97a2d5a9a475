#!/usr/bin/env node
import '../dist/heddle.js'
